use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use minijinja::machinery::ast::{self, BinOpKind};
use tapline_core::{Object, Value};

use crate::Scope;
use crate::value::{self, Undefined};

/// What evaluates the plainest expressions without the engine: fields, literals, comparisons and `and`, `or`, `not`.
///
/// Most expressions over rows are of this kind, and the engine takes ten times as long for them.
/// A shortcut yields the value that the engine would yield, or nothing: whatever is an error, or depends on the engine's
/// own rules for values of different types, is left to the engine.
pub(crate) enum Shortcut {
    Literal(Value),
    Variable(String),
    Field(Box<Self>, String),
    Not(Box<Self>),
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Compare(Box<Self>, Comparison, Box<Self>),
    Object(Vec<(Arc<str>, Self)>),
}

#[derive(Clone, Copy)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Shortcut {
    /// The shortcut for an expression, if it is plain throughout.
    pub(crate) fn of(expr: &ast::Expr<'_>) -> Option<Self> {
        Some(match expr {
            ast::Expr::Var(var) => Self::Variable(var.id.to_owned()),
            ast::Expr::Const(constant) => Self::Literal(literal(&constant.value)?),
            ast::Expr::GetAttr(attr) => Self::Field(Self::boxed(&attr.expr)?, attr.name.to_owned()),
            ast::Expr::GetItem(item) => {
                let ast::Expr::Const(name) = &item.subscript_expr else { return None };
                Self::Field(Self::boxed(&item.expr)?, name.value.as_str()?.to_owned())
            }
            ast::Expr::UnaryOp(not) if matches!(not.op, ast::UnaryOpKind::Not) => {
                Self::Not(Self::boxed(&not.expr)?)
            }
            ast::Expr::BinOp(operation) => {
                let (left, right) = (Self::boxed(&operation.left)?, Self::boxed(&operation.right)?);
                match operation.op {
                    BinOpKind::ScAnd => Self::And(left, right),
                    BinOpKind::ScOr => Self::Or(left, right),
                    op => Self::Compare(left, Comparison::of(op)?, right),
                }
            }
            ast::Expr::Map(map) => {
                let entry = |(key, value)| Some((name(key)?, Self::of(value)?));
                Self::Object(map.keys.iter().zip(&map.values).map(entry).collect::<Option<_>>()?)
            }
            _ => return None,
        })
    }

    fn boxed(expr: &ast::Expr<'_>) -> Option<Box<Self>> {
        Self::of(expr).map(Box::new)
    }

    /// The value, or nothing where the engine has to decide.
    pub(crate) fn follow<'v>(&'v self, scope: &'v dyn Scope) -> Option<Cow<'v, Value>> {
        match self {
            Self::Literal(value) => Some(Cow::Borrowed(value)),
            Self::Variable(name) => scope.variable(name.as_str()).map(Cow::Borrowed),
            Self::Field(base, name) => field(&base.follow(scope)?, name),
            Self::Not(operand) => Some(Cow::Owned((!is_true(&*operand.follow(scope)?)).into())),
            Self::And(left, right) => {
                let left = left.follow(scope)?;
                if is_true(&left) { right.follow(scope) } else { Some(left) }
            }
            Self::Or(left, right) => {
                let left = left.follow(scope)?;
                if is_true(&left) { Some(left) } else { right.follow(scope) }
            }
            Self::Compare(left, comparison, right) => {
                let holds = comparison.holds(&*left.follow(scope)?, &*right.follow(scope)?)?;
                Some(Cow::Owned(holds.into()))
            }
            Self::Object(entries) => {
                let entry = |(name, value): &(Arc<str>, Self)| {
                    Some((Arc::clone(name), value.follow(scope)?.into_owned()))
                };
                let object = entries.iter().map(entry).collect::<Option<Object>>()?;
                Some(Cow::Owned(object.into()))
            }
        }
    }
}

impl Comparison {
    const fn of(op: BinOpKind) -> Option<Self> {
        match op {
            BinOpKind::Eq => Some(Self::Equal),
            BinOpKind::Ne => Some(Self::NotEqual),
            BinOpKind::Lt => Some(Self::Less),
            BinOpKind::Lte => Some(Self::LessOrEqual),
            BinOpKind::Gt => Some(Self::Greater),
            BinOpKind::Gte => Some(Self::GreaterOrEqual),
            _ => None,
        }
    }

    fn holds(self, left: &Value, right: &Value) -> Option<bool> {
        let order = order(left, right)?;
        Some(match self {
            Self::Equal => order.is_eq(),
            Self::NotEqual => order.is_ne(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        })
    }
}

/// The order of values of one type, and of null, which is the least of all.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Null, _) => Some(Ordering::Less),
        (_, Value::Null) => Some(Ordering::Greater),
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            _ if left.is_f64() && right.is_f64() => left.as_f64()?.partial_cmp(&right.as_f64()?),
            _ => None,
        },
        _ => None,
    }
}

fn field<'v>(base: &Cow<'v, Value>, name: &str) -> Option<Cow<'v, Value>> {
    match base {
        Cow::Borrowed(Value::Object(object)) => Some(Cow::Borrowed(object.get(name).unwrap_or(&Value::Null))),
        Cow::Borrowed(Value::Null) => Some(Cow::Borrowed(&Value::Null)),
        _ => None,
    }
}

/// Truth as in Python: null, zero and whatever is empty are false.
pub(crate) fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(object) => !object.is_empty(),
    }
}

fn literal(constant: &minijinja::Value) -> Option<Value> {
    value::reclaim(constant, Undefined::Refused).ok()
}

fn name(key: &ast::Expr<'_>) -> Option<Arc<str>> {
    let ast::Expr::Const(constant) = key else { return None };
    constant.value.as_str().map(Arc::from)
}
