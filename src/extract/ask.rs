//! What is asked for, and an extractor that is made of it.

use std::num::NonZeroUsize;

use xxhash_rust::xxh3::Xxh3;

use super::expression;
use super::fields::{CHANGES, DUPLICATE_OF, FIELDS, Field};
use super::parts::Part;
use super::recipe::{self, Recipe};
use super::{Error, Extractor, Placed, Step, chunks};

/// One thing to extract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A built-in field by its name; white space around it is no part of that. `all` stands for all that cost no more than
    /// reading the page's tokens and header fields, but those that are named by another ask.
    Field(String),
    /// A field that the user describes, `NAME=SELECTOR` or `NAME[]=SELECTOR` for a list of all matches. The selector is CSS
    /// (`.price`, `a.next@href`), XPath (`//a/@href`), JSONPath (`$.items[*].name`) or a [jq program](expression::jq)
    /// (`jq:.items[].name`), and [transforms](expression) may follow it: `price=.price | re:([\d.]+) | number`.
    Select(String),
    /// The fields of recipes, each for the pages of some URLs. They stand in TOML, such as that in `examples/recipes`.
    Recipes {
        /// What the file is called where something is wrong with it.
        name: String,
        /// What it says.
        text: String,
    },
    /// The field `duplicate_of`: the earlier page that has nearly the same main text. Every page is signed for that; whoever
    /// sees the pages one after the other fills it in ([`sink::Duplicates`](crate::sink::Duplicates)).
    Duplicates,
    /// The fields `change` and `diff`: what became of the page since an earlier run. Whoever knows that run fills them in
    /// ([`store::Session`](crate::store::Session)).
    Changes,
    /// The fields `chunk`, `path` and `text`: the main content as Markdown, in pieces of so many characters at most. The page
    /// then has a row for each piece.
    Chunks(NonZeroUsize),
}

impl Ask {
    /// A number that is the same for the same asks, whatever machine or version of this program computes it. What tells of
    /// changes does not count.
    #[must_use]
    pub fn fingerprint(asks: &[Self]) -> u64 {
        let mut hash = Xxh3::new();
        for ask in asks {
            let text = match ask {
                Self::Field(name) => format!("field {}", name.trim()),
                Self::Select(field) => format!("select {field}"),
                Self::Recipes { text, .. } => format!("recipes {text}"),
                Self::Chunks(limit) => format!("chunks {limit}"),
                Self::Duplicates | Self::Changes => continue,
            };
            hash.update(text.as_bytes());
            hash.update(&[0]);
        }
        hash.digest()
    }
}

/// What stands for all fields that are cheap.
const ALL: &str = "all";

/// Whether something that is asked for has this name. A recipe's fields are not looked at.
fn is_named(name: &str, asks: &[Ask]) -> bool {
    asks.iter().any(|ask| match ask {
        Ask::Field(field) => field.trim() == name,
        Ask::Select(field) => expression::parse_field(field).is_ok_and(|(selected, _)| selected == name),
        Ask::Recipes { .. } | Ask::Duplicates | Ask::Changes | Ask::Chunks(_) => false,
    })
}

impl Extractor {
    pub(super) fn compile(asks: &[Ask]) -> Result<Self, Error> {
        let mut extractor = Self::default();
        let files = asks.iter().filter_map(|ask| match ask {
            Ask::Recipes { name, text } => Some(recipe::parse(name, text)),
            Ask::Field(_) | Ask::Select(_) | Ask::Duplicates | Ask::Changes | Ask::Chunks(_) => None,
        });
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let in_recipes: Vec<_> = files.iter().flatten().flat_map(Recipe::names).map(String::from).collect();
        let mut files = files.into_iter();
        for ask in asks {
            match ask {
                Ask::Field(name) if name.trim() == ALL => {
                    let is_other = |name| !is_named(name, asks) && !in_recipes.iter().any(|known| known == name);
                    let mut others = FIELDS.iter().filter(|field| field.is_cheap() && is_other(field.name));
                    others.try_for_each(|field| extractor.field(field))?;
                }
                Ask::Field(name) => {
                    let name = name.trim();
                    extractor.field(Field::find(name).ok_or_else(|| Error::UnknownField(name.into()))?)?;
                }
                Ask::Select(field) => {
                    let (name, expression) =
                        expression::parse_field(field).map_err(|fault| Error::expression(field, fault))?;
                    if expression.reads_tree() {
                        extractor.parts.insert(Part::Tree);
                    }
                    extractor.push(name, Step::Expression(expression))?;
                }
                Ask::Recipes { .. } => {
                    files.next().into_iter().flatten().try_for_each(|recipe| extractor.recipe(recipe))?;
                }
                Ask::Duplicates => {
                    extractor.duplicate_of = Some(extractor.names.len());
                    extractor.field(&DUPLICATE_OF)?;
                }
                Ask::Changes => {
                    extractor.change = Some(extractor.names.len());
                    CHANGES.iter().try_for_each(|field| extractor.field(field))?;
                }
                Ask::Chunks(limit) => {
                    extractor.chunks = Some((extractor.names.len(), *limit));
                    chunks::FIELDS.iter().try_for_each(|field| extractor.field(field))?;
                }
            }
        }
        Ok(extractor)
    }

    fn field(&mut self, field: &'static Field) -> Result<(), Error> {
        self.parts.insert(field.part);
        self.push(field.name, Step::Field(field))
    }

    /// Adds a recipe. Its fields share their columns with those of other recipes.
    fn recipe(&mut self, recipe: Recipe) -> Result<(), Error> {
        let mut columns = Vec::new();
        for name in recipe.names() {
            let column = self.names.iter().position(|known| **known == *name);
            let shared = column.filter(|&column| matches!(self.steps[column], Step::Recipe));
            columns.push(shared.unwrap_or(self.names.len()));
            if shared.is_none() {
                self.push(name, Step::Recipe)?;
            }
        }
        self.recipes.push(Placed { recipe, columns });
        Ok(())
    }

    pub(super) fn push(&mut self, name: &str, step: Step) -> Result<(), Error> {
        if self.names.iter().any(|other| **other == *name) {
            return Err(Error::DuplicateName(name.into()));
        }
        self.names.push(name.into());
        self.steps.push(step);
        Ok(())
    }
}
