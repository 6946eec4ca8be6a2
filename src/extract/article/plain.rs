//! Content → text.

use super::super::names::is_any;
use super::super::text::{Prose, gap_around};
use super::Article;
use super::survey::Event;

/// The text of an article.
pub(super) fn render(article: &Article<'_>) -> String {
    let mut prose = Prose::default();
    let mut verbatim = 0_usize;
    for event in article.events() {
        let index = match event {
            Event::Text(text) => {
                if verbatim > 0 {
                    prose.push_verbatim(text);
                } else {
                    prose.push(text);
                }
                continue;
            }
            Event::Enter(index) | Event::Leave(index) | Event::Omit(index) => index,
        };
        let name = article.survey.elements[index].name();
        prose.set_apart(gap_around(name));
        if is_any!(*name, "pre") {
            match event {
                Event::Enter(_) => verbatim += 1,
                Event::Leave(_) => verbatim -= 1,
                Event::Text(_) | Event::Omit(_) => {}
            }
        }
    }
    prose.finish()
}
