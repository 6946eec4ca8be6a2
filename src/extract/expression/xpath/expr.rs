//! What an expression is made of.

use html5ever::LocalName;

use super::functions::Function;

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Type {
    Nodes,
    Text,
    Number,
    Truth,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Below,
    AtMost,
    Above,
    AtLeast,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
    Union,
}

impl Operator {
    /// How strongly it binds. Between 6 and 7 is the sign.
    pub(super) fn strength(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal | Self::NotEqual => 3,
            Self::Below | Self::AtMost | Self::Above | Self::AtLeast => 4,
            Self::Plus | Self::Minus => 5,
            Self::Times | Self::Divide | Self::Modulo => 6,
            Self::Union => 7,
        }
    }

    fn result(self) -> Type {
        match self.strength() {
            1..=4 => Type::Truth,
            5 | 6 => Type::Number,
            _ => Type::Nodes,
        }
    }
}

#[derive(Debug)]
pub(super) enum Expr {
    Binary(Box<Expr>, Operator, Box<Expr>),
    Negative(Box<Expr>),
    /// Steps from the root, from the context node, or from the nodes of an expression.
    Path(Start, Vec<Step>),
    /// Those nodes of an expression for which all predicates hold.
    Filter(Box<Expr>, Vec<Expr>),
    Call(Function, Vec<Expr>),
    Text(Box<str>),
    Number(f64),
}

#[derive(Debug)]
pub(super) enum Start {
    Root,
    Context,
    Of(Box<Expr>),
}

impl Expr {
    pub(super) fn result(&self) -> Type {
        match self {
            Self::Binary(_, operator, _) => operator.result(),
            Self::Negative(_) | Self::Number(_) => Type::Number,
            Self::Path(..) | Self::Filter(..) => Type::Nodes,
            Self::Call(function, _) => function.result,
            Self::Text(_) => Type::Text,
        }
    }

    /// Whether what it comes to changes with the position of the context node among others.
    fn asks_for_position(&self) -> bool {
        match self {
            Self::Binary(left, _, right) => left.asks_for_position() || right.asks_for_position(),
            Self::Negative(operand) => operand.asks_for_position(),
            Self::Path(Start::Of(start), _) | Self::Filter(start, _) => start.asks_for_position(),
            Self::Call(function, arguments) => {
                function.asks_for_position() || arguments.iter().any(Self::asks_for_position)
            }
            Self::Path(..) | Self::Text(_) | Self::Number(_) => false,
        }
    }

    /// The same as a predicate: there a number is a position.
    pub(super) fn depends_on_position(&self) -> bool {
        self.result() == Type::Number || self.asks_for_position()
    }
}

#[derive(Debug)]
pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Vec<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Axis {
    Ancestor,
    AncestorOrSelf,
    Attribute,
    Child,
    Descendant,
    DescendantOrSelf,
    Following,
    FollowingSibling,
    Parent,
    Preceding,
    PrecedingSibling,
    Itself,
}

pub(super) const AXES: [(&str, Axis); 12] = [
    ("ancestor", Axis::Ancestor),
    ("ancestor-or-self", Axis::AncestorOrSelf),
    ("attribute", Axis::Attribute),
    ("child", Axis::Child),
    ("descendant", Axis::Descendant),
    ("descendant-or-self", Axis::DescendantOrSelf),
    ("following", Axis::Following),
    ("following-sibling", Axis::FollowingSibling),
    ("parent", Axis::Parent),
    ("preceding", Axis::Preceding),
    ("preceding-sibling", Axis::PrecedingSibling),
    ("self", Axis::Itself),
];

/// What a node must be.
#[derive(Debug)]
pub(super) enum Test {
    /// Any node.
    Node,
    Text,
    Comment,
    /// HTML has none.
    Instruction,
    /// An element, or on the axis of attributes an attribute.
    Any,
    Name(Name),
}

/// A name as it is written in a test.
#[derive(Debug)]
pub(super) struct Name {
    pub(super) exact: LocalName,
    /// What it is compared as with HTML.
    pub(super) lower: LocalName,
}
