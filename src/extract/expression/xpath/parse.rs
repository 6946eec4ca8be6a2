//! Tokens → expression (XPath 1.0, sections 2 and 3).

use super::super::fault::Fault;
use super::expr::{AXES, Axis, Expr, Name, Operator, Start, Step, Test, Type};
use super::functions::Function;
use super::lex::{Token, tokens};

/// How deep an expression may be nested, and how many operators it may have.
const DEPTH: usize = 40;
const OPERATORS: usize = 200;

/// Parses an expression.
pub(super) fn parse(text: &str) -> Result<Expr, Fault> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, depth: 0, operators: 0 };
    let expr = parser.expression()?;
    if *parser.peek() == Token::End { Ok(expr) } else { Err(parser.unexpected("an operator or the end")) }
}

struct Parser<'t> {
    tokens: Vec<(Token<'t>, usize)>,
    next: usize,
    depth: usize,
    operators: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> &Token<'t> {
        self.peek_behind(0)
    }

    /// The token that is `count` further on.
    fn peek_behind(&self, count: usize) -> &Token<'t> {
        self.tokens.get(self.next + count).map_or(&Token::End, |(token, _)| token)
    }

    /// The byte where the next token begins.
    fn at(&self) -> usize {
        self.tokens[self.next.min(self.tokens.len() - 1)].1
    }

    /// Takes a symbol if it is next.
    fn accept(&mut self, symbol: &'static str) -> bool {
        let is_next = *self.peek() == Token::Symbol(symbol);
        self.next += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, symbol: &'static str) -> Result<(), Fault> {
        if self.accept(symbol) { Ok(()) } else { Err(self.unexpected(&format!("`{symbol}`"))) }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let what = if *self.peek() == Token::End { "the XPath ends too early" } else { "not XPath" };
        Fault::new(self.at(), what, format!("{wanted} can stand here"))
    }

    fn must_be_nodes(expr: &Expr, at: usize) -> Result<(), Fault> {
        let hint = "take a path, such as //a or (//a | //b)";
        if expr.result() == Type::Nodes { Ok(()) } else { Err(Fault::new(at, "this is no set of nodes", hint)) }
    }

    /// A whole expression, one level deeper.
    fn expression(&mut self) -> Result<Expr, Fault> {
        if self.depth == DEPTH {
            return Err(Fault::new(self.at(), "the XPath is nested too deeply", "split it into several fields"));
        }
        self.depth += 1;
        let expr = self.binary(1);
        self.depth -= 1;
        expr
    }

    /// Operands and operators that bind at least so strongly, from left to right.
    fn binary(&mut self, strength: u8) -> Result<Expr, Fault> {
        let start = self.at();
        let mut left = self.operand(strength)?;
        while let Token::Operator(operator) = *self.peek()
            && operator.strength() >= strength
        {
            self.next += 1;
            self.operators += 1;
            if self.operators > OPERATORS {
                return Err(Fault::new(self.at(), "the XPath has too many operators", "split it into several fields"));
            }
            let at = self.at();
            let right = self.binary(operator.strength() + 1)?;
            if operator == Operator::Union {
                Self::must_be_nodes(&left, start)?;
                Self::must_be_nodes(&right, at)?;
            }
            left = Expr::Binary(Box::new(left), operator, Box::new(right));
        }
        Ok(left)
    }

    fn operand(&mut self, strength: u8) -> Result<Expr, Fault> {
        if *self.peek() != Token::Operator(Operator::Minus) {
            return self.path();
        }
        if strength > Operator::Union.strength() {
            return Err(self.unexpected("a path"));
        }
        let mut is_negative = false;
        while *self.peek() == Token::Operator(Operator::Minus) {
            self.next += 1;
            is_negative = !is_negative;
        }
        let operand = self.binary(Operator::Union.strength())?;
        let negative = Expr::Negative(Box::new(operand));
        Ok(if is_negative { negative } else { Expr::Negative(Box::new(negative)) })
    }

    fn path(&mut self) -> Result<Expr, Fault> {
        let mut steps = Vec::new();
        if self.accept("//") {
            steps.push(anything_below());
        } else if self.accept("/") {
            if !self.is_step() {
                return Ok(Expr::Path(Start::Root, steps));
            }
        } else if self.is_step() {
            self.steps(&mut steps)?;
            return Ok(Expr::Path(Start::Context, steps));
        } else {
            return self.filter();
        }
        self.steps(&mut steps)?;
        Ok(Expr::Path(Start::Root, steps))
    }

    /// Whether a step is next, and not a function or a value.
    fn is_step(&self) -> bool {
        match self.peek() {
            Token::Symbol(symbol) => matches!(*symbol, "." | ".." | "@"),
            Token::Name(name) => *self.peek_behind(1) != Token::Symbol("(") || is_kind_of_node(name),
            _ => false,
        }
    }

    /// Steps, with slashes between them.
    fn steps(&mut self, steps: &mut Vec<Step>) -> Result<(), Fault> {
        loop {
            let step = self.step()?;
            // `//x` is `/descendant::x` where no predicate counts.
            let is_below = steps.last().is_some_and(is_anything_below) && step.axis == Axis::Child;
            if is_below && !step.predicates.iter().any(Expr::depends_on_position) {
                steps.pop();
                steps.push(Step { axis: Axis::Descendant, ..step });
            } else {
                steps.push(step);
            }
            if self.accept("//") {
                steps.push(anything_below());
            } else if !self.accept("/") {
                return Ok(());
            }
        }
    }

    fn step(&mut self) -> Result<Step, Fault> {
        for (symbol, axis) in [("..", Axis::Parent), (".", Axis::Itself)] {
            if self.accept(symbol) {
                return Ok(Step { axis, test: Test::Node, predicates: Vec::new() });
            }
        }
        let axis = self.axis()?;
        let test = self.test()?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    fn axis(&mut self) -> Result<Axis, Fault> {
        if self.accept("@") {
            return Ok(Axis::Attribute);
        }
        let &Token::Name(name) = self.peek() else { return Ok(Axis::Child) };
        if *self.peek_behind(1) != Token::Symbol("::") {
            return Ok(Axis::Child);
        }
        let Some((_, axis)) = AXES.into_iter().find(|(known, _)| *known == name) else {
            let names = AXES.map(|(name, _)| name).join(", ");
            return Err(Fault::new(self.at(), format!("there is no axis `{name}`"), format!("axes are {names}")));
        };
        self.next += 2;
        Ok(axis)
    }

    fn test(&mut self) -> Result<Test, Fault> {
        let &Token::Name(name) = self.peek() else { return Err(self.unexpected("a name, `*`, `.`, `..` or `@`")) };
        if *self.peek_behind(1) == Token::Symbol("(") {
            return self.kind_of_node(name);
        }
        self.next += 1;
        Ok(match name {
            "*" => Test::Any,
            _ => Test::Name(Name { exact: name.into(), lower: name.to_ascii_lowercase().into() }),
        })
    }

    fn kind_of_node(&mut self, name: &str) -> Result<Test, Fault> {
        let test = match name {
            "node" => Test::Node,
            "text" => Test::Text,
            "comment" => Test::Comment,
            "processing-instruction" => Test::Instruction,
            _ => {
                let hint =
                    "kinds of nodes are node(), text() and comment(); a function stands around a path: count(//a)";
                return Err(Fault::new(self.at(), format!("`{name}()` is no kind of node"), hint));
            }
        };
        self.next += 2;
        if matches!((&test, self.peek()), (Test::Instruction, Token::Literal(_))) {
            self.next += 1;
        }
        self.expect(")")?;
        Ok(test)
    }

    fn predicates(&mut self) -> Result<Vec<Expr>, Fault> {
        let mut predicates = Vec::new();
        while self.accept("[") {
            predicates.push(self.expression()?);
            self.expect("]")?;
        }
        Ok(predicates)
    }

    /// A value, with predicates and steps behind it.
    fn filter(&mut self) -> Result<Expr, Fault> {
        let start = self.at();
        let mut expr = self.primary()?;
        let predicates = self.predicates()?;
        if !predicates.is_empty() {
            Self::must_be_nodes(&expr, start)?;
            expr = Expr::Filter(Box::new(expr), predicates);
        }
        let mut steps = Vec::new();
        if self.accept("//") {
            steps.push(anything_below());
        } else if !self.accept("/") {
            return Ok(expr);
        }
        Self::must_be_nodes(&expr, start)?;
        self.steps(&mut steps)?;
        Ok(Expr::Path(Start::Of(Box::new(expr)), steps))
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let at = self.at();
        match *self.peek() {
            Token::Literal(text) => {
                self.next += 1;
                Ok(Expr::Text(text.into()))
            }
            Token::Number(number) => {
                self.next += 1;
                Ok(Expr::Number(number))
            }
            Token::Symbol("(") => {
                self.next += 1;
                let expr = self.expression()?;
                self.expect(")")?;
                Ok(expr)
            }
            Token::Name(name) => {
                self.next += 2;
                self.call(name, at)
            }
            Token::Variable => Err(Fault::new(at, "there are no variables", "write the value itself")),
            _ => Err(self.unexpected("a path or a value")),
        }
    }

    /// A function's arguments, behind the parenthesis.
    fn call(&mut self, name: &str, at: usize) -> Result<Expr, Fault> {
        let function = Function::find(name).ok_or_else(|| {
            let hint = format!("functions are {}", Function::names());
            Fault::new(at, format!("XPath 1.0 has no function `{name}`"), hint)
        })?;
        let mut arguments = Vec::new();
        while !self.accept(")") {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            let at = self.at();
            arguments.push(self.expression()?);
            if function.takes_nodes {
                Self::must_be_nodes(&arguments[arguments.len() - 1], at)?;
            }
        }
        if function.arguments.contains(&arguments.len()) {
            return Ok(Expr::Call(function, arguments));
        }
        let (least, most) = (function.arguments.start(), function.arguments.end());
        let wanted = match most {
            &usize::MAX => format!("{least} or more"),
            most if most == least => least.to_string(),
            most => format!("{least} to {most}"),
        };
        let what = format!("`{name}()` has {} arguments", arguments.len());
        Err(Fault::new(at, what, format!("it takes {wanted}")))
    }
}

fn is_kind_of_node(name: &str) -> bool {
    matches!(name, "node" | "text" | "comment" | "processing-instruction")
}

/// What `//` stands for.
fn anything_below() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: Test::Node, predicates: Vec::new() }
}

fn is_anything_below(step: &Step) -> bool {
    step.axis == Axis::DescendantOrSelf && matches!(step.test, Test::Node) && step.predicates.is_empty()
}
