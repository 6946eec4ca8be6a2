//! What a field holds, as far as its expression tells: for the schema.

/// Kinds of values, as bits.
pub(super) type Kinds = u8;

pub(super) const NULL: Kinds = 1;
pub(super) const TRUTH: Kinds = 2;
pub(super) const NUMBER: Kinds = 4;
pub(super) const TEXT: Kinds = 8;
pub(super) const LIST: Kinds = 16;
const MAP: Kinds = 32;

/// Their names in a JSON Schema.
const NAMES: [(Kinds, &str); 6] =
    [(TEXT, "string"), (NUMBER, "number"), (TRUTH, "boolean"), (LIST, "array"), (MAP, "object"), (NULL, "null")];

/// Values of some kinds, in so many lists that are known to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Holds {
    kinds: Kinds,
    pub(super) lists: usize,
}

impl Holds {
    pub(super) const fn new(kinds: Kinds, lists: usize) -> Self {
        Self { kinds, lists }
    }

    /// Whatever a JSON page has.
    pub(super) const fn anything(lists: usize) -> Self {
        Self::new(NULL | TRUTH | NUMBER | TEXT | LIST | MAP, lists)
    }

    pub(super) fn may_be(self, kind: Kinds) -> bool {
        self.kinds & kind != 0
    }

    /// Null if that may be among them.
    pub(super) fn nullable(self) -> Kinds {
        // Nothing is made of an object.
        if self.may_be(NULL | MAP) { NULL } else { 0 }
    }

    /// The same with each value made one of other kinds; lists stay lists.
    pub(super) fn each(self, kinds: Kinds) -> Self {
        Self { kinds: kinds | self.kinds & LIST, ..self }
    }

    /// Each value becomes a list of such.
    pub(super) fn in_list(self) -> Self {
        if self.may_be(LIST) { Self { kinds: LIST | NULL, ..self } } else { Self { lists: self.lists + 1, ..self } }
    }

    /// The innermost lists become texts.
    pub(super) fn joined(self) -> Self {
        if self.may_be(LIST) { Self::new(TEXT | self.kinds & !MAP, 0) } else { Self::new(TEXT | NULL, self.lists - 1) }
    }

    /// The same without null, but with what takes its place.
    pub(super) fn without_null(self, kind: Kinds) -> Self {
        Self { kinds: if self.may_be(NULL) { self.kinds & !NULL | kind } else { self.kinds }, ..self }
    }

    /// A JSON Schema in JSON. A list may be null as a whole.
    pub(super) fn schema(self) -> String {
        let names = NAMES.iter().filter(|(kind, _)| self.may_be(*kind)).map(|(_, name)| format!("\"{name}\""));
        let names: Vec<_> = names.collect();
        let schema = match &names[..] {
            names if names.len() == NAMES.len() => "{}".to_owned(),
            [name] => format!(r#"{{"type": {name}}}"#),
            names => format!(r#"{{"type": [{}]}}"#, names.join(", ")),
        };
        (0..self.lists).fold(schema, |items, _| format!(r#"{{"type": ["array", "null"], "items": {items}}}"#))
    }
}
