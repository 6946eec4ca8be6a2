//! Content → Markdown: `CommonMark` 0.31, with the tables and the strikethrough of GitHub Flavored Markdown.
//!
//! What is text is escaped where it would act, and there is no HTML in it. URLs are absolute; links that lead elsewhere
//! than to http, ftp, mail or a telephone are text. Where Markdown has no word for something (definition lists, captions,
//! folded details) its blocks are paragraphs; a table that is layout is what is in its cells.

mod blocks;
mod escape;
mod inline;
mod table;
#[cfg(test)]
mod tests;

use html5ever::LocalName;
use scraper::node::Element;

use super::super::links::Base;
use super::super::names::is_any;
use super::Article;
use super::survey::Event;
use blocks::Blocks;
use escape::longest_run;
use inline::{Emphasis, Line, lines};
use table::Table;

/// The Markdown of an article. URLs are relative to `base`.
pub(super) fn render(article: &Article<'_>, base: &Base) -> String {
    let mut writer =
        Writer { article, base, line: Line::default(), blocks: Blocks::default(), mode: Mode::Text, in_heading: false };
    let mut entered = Vec::new();
    for event in article.events() {
        match event {
            Event::Text(text) => writer.text(text),
            Event::Enter(index) => entered.push(writer.enter(index)),
            Event::Leave(index) => {
                let role = entered.pop().unwrap_or(Role::Inline);
                writer.leave(index, role);
            }
            Event::Omit(index) if article.survey.elements[index].is_block => writer.flush(),
            Event::Omit(_) => {}
        }
    }
    writer.flush();
    writer.blocks.finish()
}

/// What an element was taken for when it was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// Nothing of its own.
    Inline,
    /// A block, such as a paragraph.
    Block,
    Heading,
    List,
    /// A quotation, or an item of a list.
    Container,
    Preformatted,
    Table,
    Caption,
    Row,
    Cell,
    Emphasis,
    Link,
    Code,
}

/// What text is at the moment.
#[derive(Debug)]
enum Mode {
    Text,
    /// Lines of code, as they stand.
    Preformatted(String),
    /// The cells of a table.
    Table(Table),
}

struct Writer<'a> {
    article: &'a Article<'a>,
    base: &'a Base,
    line: Line,
    blocks: Blocks,
    mode: Mode,
    /// Whether a heading is open: its line cannot be broken.
    in_heading: bool,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        match &mut self.mode {
            Mode::Preformatted(code) => code.push_str(text),
            Mode::Text | Mode::Table(_) => self.line.push(text),
        }
    }

    /// Writes what has been collected as a paragraph.
    fn flush(&mut self) {
        match self.mode {
            Mode::Text if !self.in_heading => {
                let text = self.line.take();
                self.write(&text);
            }
            Mode::Text | Mode::Table(_) => self.line.space(),
            Mode::Preformatted(_) => {}
        }
    }

    /// Writes a paragraph.
    fn write(&mut self, text: &str) {
        if !text.is_empty() {
            let lines: Vec<_> = lines(text).collect();
            self.blocks.write(lines.iter().map(String::as_str));
        }
    }

    fn enter(&mut self, index: usize) -> Role {
        let element = &self.article.survey.elements[index];
        let name = element.name();
        match self.mode {
            Mode::Preformatted(ref mut code) => {
                code.push_str(if is_any!(*name, "br") { "\n" } else { "" });
                return Role::Inline;
            }
            Mode::Table(ref mut table) if is_any!(*name, "tr") => {
                table.open_row();
                return Role::Row;
            }
            Mode::Table(_) if is_any!(*name, "td" "th") => return Role::Cell,
            Mode::Table(_) if is_any!(*name, "caption") => return Role::Caption,
            Mode::Text if !self.in_heading && element.is_block => {
                self.flush();
                let role = self.enter_block(index, element.node);
                if role != Role::Block || !is_any!(*name, "a") {
                    return role;
                }
            }
            Mode::Text | Mode::Table(_) if element.is_block => self.line.space(),
            Mode::Text | Mode::Table(_) => {}
        }
        self.enter_inline(element.node)
    }

    fn enter_block(&mut self, index: usize, node: &Element) -> Role {
        let name = &node.name.local;
        if heading_level(name).is_some() {
            self.in_heading = true;
            return Role::Heading;
        } else if is_any!(*name, "ul" "menu" "dir") {
            self.blocks.open_list(None);
            return Role::List;
        } else if is_any!(*name, "ol") {
            let start = node.attr("start").and_then(|start| start.trim().parse().ok());
            self.blocks.open_list(Some(start.unwrap_or(1)));
            return Role::List;
        } else if is_any!(*name, "li") && self.blocks.open_item()
            || is_any!(*name, "blockquote") && self.blocks.open_quote()
        {
            return Role::Container;
        } else if is_any!(*name, "pre" "listing" "xmp") {
            self.mode = Mode::Preformatted(String::new());
            return Role::Preformatted;
        } else if is_any!(*name, "table") && self.article.is_data_table(index) {
            self.mode = Mode::Table(Table::default());
            return Role::Table;
        } else if is_any!(*name, "hr") {
            self.blocks.write(["___"]);
        }
        Role::Block
    }

    fn enter_inline(&mut self, node: &Element) -> Role {
        let name = &node.name.local;
        if let Some(emphasis) = emphasis(name) {
            self.line.open_emphasis(emphasis);
            return Role::Emphasis;
        } else if is_any!(*name, "code" "kbd" "samp" "tt") && self.line.open_code() {
            return Role::Code;
        } else if is_any!(*name, "a") {
            let url = node.attr("href").and_then(|href| self.base.absolute(href)).filter(|url| is_harmless(url));
            if let Some(url) = url {
                self.line.open_link(url);
                return Role::Link;
            }
        } else if is_any!(*name, "img") {
            self.image(node);
        } else if is_any!(*name, "br") && !self.break_line() {
            self.flush();
        }
        Role::Inline
    }

    /// Breaks the line, where it is one that can be.
    fn break_line(&mut self) -> bool {
        if matches!(self.mode, Mode::Text) && !self.in_heading {
            return self.line.break_hard();
        }
        self.line.space();
        true
    }

    /// Writes an image; one that is loaded later has its URL elsewhere.
    fn image(&mut self, node: &Element) {
        let sources = ["src", "data-src"].into_iter().filter_map(|name| node.attr(name));
        let mut urls = sources.filter_map(|src| self.base.absolute(src));
        if let Some(url) = urls.find(|url| url.starts_with("http")) {
            self.line.push_image(node.attr("alt").unwrap_or_default(), &url);
        }
    }

    fn leave(&mut self, index: usize, role: Role) {
        let node = self.article.survey.elements[index].node;
        match role {
            Role::Inline | Role::Row => {}
            Role::Block => self.flush(),
            Role::Caption => {
                let text = self.line.take();
                self.write(&text);
            }
            Role::Heading => self.leave_heading(&node.name.local),
            Role::List => {
                self.flush();
                self.blocks.close_list();
            }
            Role::Container => {
                self.flush();
                self.blocks.close_container();
            }
            Role::Preformatted => self.leave_preformatted(index),
            Role::Table => self.leave_table(),
            Role::Cell => {
                let cell = self.line.take();
                if let Mode::Table(table) = &mut self.mode {
                    table.push(&cell, node.attr("colspan"), is_any!(node.name.local, "th"));
                }
            }
            Role::Emphasis => self.line.close_emphasis(),
            Role::Link => {
                self.line.close_link();
                if self.article.survey.elements[index].is_block {
                    self.flush();
                }
            }
            Role::Code => self.line.close_code(),
        }
    }

    fn leave_heading(&mut self, name: &LocalName) {
        self.in_heading = false;
        let text = self.line.take();
        if text.is_empty() {
            return;
        }
        // What looks like the end of a heading is none.
        let text = match text.strip_suffix('#') {
            Some(rest) => format!("{rest}\\#"),
            None => text,
        };
        let line = format!("{} {text}", "#".repeat(heading_level(name).unwrap_or(1)));
        self.blocks.write([&*line]);
    }

    fn leave_preformatted(&mut self, index: usize) {
        let Mode::Preformatted(code) = std::mem::replace(&mut self.mode, Mode::Text) else { return };
        let code = code.trim_end().trim_start_matches('\n');
        if code.is_empty() {
            return;
        }
        let fence = "`".repeat(longest_run(code).max(2) + 1);
        let opening = format!("{fence}{}", self.language(index).unwrap_or_default());
        self.blocks.write([&*opening].into_iter().chain(code.split('\n')).chain([&*fence]));
    }

    /// The language of code: what its element, or the `<code>` in it, is a class for (WHATWG HTML, section 4.5.15).
    fn language(&self, index: usize) -> Option<&str> {
        let element = &self.article.survey.elements[index];
        let inner = self.article.survey.elements.get(index + 1).filter(|_| element.end > index + 1);
        let mut classes = [Some(element), inner].into_iter().flatten().flat_map(|element| element.node.classes());
        let language =
            classes.find_map(|class| class.strip_prefix("language-").or_else(|| class.strip_prefix("lang-")))?;
        let is_name = language.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-_.#".contains(&byte));
        is_name.then_some(language)
    }

    fn leave_table(&mut self) {
        self.line.take();
        if let Mode::Table(table) = std::mem::replace(&mut self.mode, Mode::Text) {
            let lines = table.lines();
            if !lines.is_empty() {
                self.blocks.write(lines.iter().map(String::as_str));
            }
        }
    }
}

fn heading_level(name: &LocalName) -> Option<usize> {
    is_any!(*name, "h1" "h2" "h3" "h4" "h5" "h6").then(|| usize::from(name.as_bytes()[1] - b'0'))
}

fn emphasis(name: &LocalName) -> Option<Emphasis> {
    if is_any!(*name, "em" "i") {
        Some(Emphasis::Emphatic)
    } else if is_any!(*name, "strong" "b") {
        Some(Emphasis::Strong)
    } else if is_any!(*name, "del" "s" "strike") {
        Some(Emphasis::Struck)
    } else {
        None
    }
}

/// Whether a URL is one that text may lead to: following it runs nothing.
fn is_harmless(url: &str) -> bool {
    ["http:", "https:", "ftp:", "mailto:", "tel:"].iter().any(|scheme| url.starts_with(scheme))
}
