use minijinja::Value;
use minijinja::machinery::ast::Spanned;
use minijinja::machinery::{Span, ast};

use super::Lowering;
use crate::TemplateError;
use crate::language::{self, CONCAT, ELEMENT, FIELD, Kind};

type Lowered<'a> = Result<ast::Expr<'a>, TemplateError>;

impl<'a> Lowering<'a> {
    pub(crate) fn expression(&mut self, expr: &ast::Expr<'a>) -> Lowered<'a> {
        self.nested(expr.span(), |this| this.expression_within(expr))
    }

    fn expression_within(&mut self, expr: &ast::Expr<'a>) -> Lowered<'a> {
        let span = expr.span();
        Ok(match expr {
            ast::Expr::Var(var) => self.variable(expr, var)?,
            ast::Expr::Const(constant) => literal(constant.value.clone(), span),
            ast::Expr::GetAttr(attr) => self.field(expr, attr)?,
            ast::Expr::GetItem(item) => self.element(expr, item)?,
            ast::Expr::Slice(slice) => {
                let (start, stop) =
                    (self.optional(slice.start.as_ref())?, self.optional(slice.stop.as_ref())?);
                let step = self.optional(slice.step.as_ref())?;
                let expr = self.expression(&slice.expr)?;
                ast::Expr::Slice(Spanned::new(ast::Slice { expr, start, stop, step }, span))
            }
            ast::Expr::UnaryOp(operation) => self.unary(operation, span)?,
            ast::Expr::BinOp(operation) => self.binary(operation, span)?,
            ast::Expr::Compare(compare) => self.compare(compare, span)?,
            ast::Expr::IfExpr(choice) => {
                let test_expr = self.expression(&choice.test_expr)?;
                let true_expr = self.expression(&choice.true_expr)?;
                let false_expr = self.optional(choice.false_expr.as_ref())?;
                ast::Expr::IfExpr(Spanned::new(ast::IfExpr { test_expr, true_expr, false_expr }, span))
            }
            ast::Expr::Filter(filter) => self.filter(filter, span)?,
            ast::Expr::Test(test) => {
                self.known(Kind::Test, test.name, span)?;
                let expr = self.expression(&test.expr)?;
                let args = self.arguments(&test.args)?;
                ast::Expr::Test(Spanned::new(ast::Test { name: test.name, expr, args }, span))
            }
            ast::Expr::Call(call) => self.call(call, span)?,
            ast::Expr::List(list) => {
                ast::Expr::List(Spanned::new(ast::List { items: self.all(&list.items)? }, span))
            }
            ast::Expr::Tuple(tuple) => {
                ast::Expr::List(Spanned::new(ast::List { items: self.all(&tuple.items)? }, span))
            }
            ast::Expr::Map(map) => {
                let (keys, values) = (self.all(&map.keys)?, self.all(&map.values)?);
                ast::Expr::Map(Spanned::new(ast::Map { keys, values }, span))
            }
        })
    }

    /// The call's span is the base's, so that an error names what has no such field.
    fn field(&mut self, expr: &ast::Expr<'a>, attr: &ast::GetAttr<'a>) -> Lowered<'a> {
        let base = self.base(expr, &attr.expr)?;
        let name = literal(Value::from(attr.name), expr.span());
        Ok(call_filter(FIELD, base, name, attr.expr.span()))
    }

    fn element(&mut self, expr: &ast::Expr<'a>, item: &ast::GetItem<'a>) -> Lowered<'a> {
        let base = self.base(expr, &item.expr)?;
        let subscript = self.expression(&item.subscript_expr)?;
        Ok(call_filter(ELEMENT, base, subscript, item.expr.span()))
    }

    /// Once a whole path has been noted, its beginning is not noted again.
    fn base(&mut self, expr: &ast::Expr<'a>, base: &ast::Expr<'a>) -> Lowered<'a> {
        let outer = self.noted;
        self.noted = outer || self.note(expr);
        let lowered = self.expression(base);
        self.noted = outer;
        lowered
    }

    fn variable(&mut self, expr: &ast::Expr<'a>, var: &ast::Var<'a>) -> Lowered<'a> {
        if !self.is_declared(var.id) && language::knows(Kind::Function, var.id) {
            return Err(
                self.syntax_error(format!("the function `{}` can only be called", var.id), expr.span())
            );
        }
        if !self.noted {
            self.note(expr);
        }
        Ok(ast::Expr::Var(Spanned::new(ast::Var { id: var.id }, expr.span())))
    }

    fn unary(&mut self, operation: &ast::UnaryOp<'a>, span: Span) -> Lowered<'a> {
        let negates = matches!(operation.op, ast::UnaryOpKind::Neg);
        let op = if negates { ast::UnaryOpKind::Neg } else { ast::UnaryOpKind::Not };
        let expr = self.expression(&operation.expr)?;
        Ok(ast::Expr::UnaryOp(Spanned::new(ast::UnaryOp { op, expr }, span)))
    }

    fn binary(&mut self, operation: &ast::BinOp<'a>, span: Span) -> Lowered<'a> {
        let left = self.expression(&operation.left)?;
        let right = self.expression(&operation.right)?;
        Ok(match operation.op {
            ast::BinOpKind::Concat => call_filter(CONCAT, left, right, span),
            op => ast::Expr::BinOp(Spanned::new(ast::BinOp { op, left, right }, span)),
        })
    }

    fn compare(&mut self, compare: &ast::Compare<'a>, span: Span) -> Lowered<'a> {
        let expr = self.expression(&compare.expr)?;
        let ops = compare
            .ops
            .iter()
            .map(|op| Ok(ast::CompareOp { op: op.op, expr: self.expression(&op.expr)? }))
            .collect::<Result<_, TemplateError>>()?;
        Ok(ast::Expr::Compare(Spanned::new(ast::Compare { expr, ops }, span)))
    }

    pub(super) fn filter(&mut self, filter: &ast::Filter<'a>, span: Span) -> Lowered<'a> {
        self.known(Kind::Filter, filter.name, span)?;
        let expr = self.optional(filter.expr.as_ref())?;
        let args = self.arguments(&filter.args)?;
        Ok(ast::Expr::Filter(Spanned::new(ast::Filter { name: filter.name, expr, args }, span)))
    }

    fn call(&mut self, call: &ast::Call<'a>, span: Span) -> Lowered<'a> {
        let expr = match &call.expr {
            ast::Expr::Var(var) if self.is_declared(var.id) => self.expression(&call.expr)?,
            ast::Expr::Var(var) => {
                self.known(Kind::Function, var.id, span)?;
                ast::Expr::Var(Spanned::new(ast::Var { id: var.id }, var.span()))
            }
            // `loop.cycle(…)`: the methods of the engine's own objects.
            ast::Expr::GetAttr(attr) => {
                let expr = self.expression(&attr.expr)?;
                ast::Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name: attr.name }, attr.span()))
            }
            other => return Err(self.syntax_error("only a function can be called", other.span())),
        };
        let args = self.arguments(&call.args)?;
        Ok(ast::Expr::Call(Spanned::new(ast::Call { expr, args }, span)))
    }

    fn arguments(&mut self, args: &[ast::CallArg<'a>]) -> Result<Vec<ast::CallArg<'a>>, TemplateError> {
        let lower = |arg: &ast::CallArg<'a>| {
            Ok(match arg {
                ast::CallArg::Pos(expr) => ast::CallArg::Pos(self.expression(expr)?),
                ast::CallArg::Kwarg(name, expr) => ast::CallArg::Kwarg(name, self.expression(expr)?),
                ast::CallArg::PosSplat(expr) => ast::CallArg::PosSplat(self.expression(expr)?),
                ast::CallArg::KwargSplat(expr) => ast::CallArg::KwargSplat(self.expression(expr)?),
            })
        };
        args.iter().map(lower).collect()
    }

    fn all(&mut self, exprs: &[ast::Expr<'a>]) -> Result<Vec<ast::Expr<'a>>, TemplateError> {
        exprs.iter().map(|expr| self.expression(expr)).collect()
    }

    pub(super) fn optional(
        &mut self,
        expr: Option<&ast::Expr<'a>>,
    ) -> Result<Option<ast::Expr<'a>>, TemplateError> {
        expr.map(|expr| self.expression(expr)).transpose()
    }

    fn known(&self, kind: Kind, name: &str, span: Span) -> Result<(), TemplateError> {
        if language::knows(kind, name) {
            return Ok(());
        }
        let position = self.position(span);
        Err(TemplateError::Unknown { kind: kind.word(), name: name.to_owned(), position })
    }
}

fn literal(value: Value, span: Span) -> ast::Expr<'static> {
    ast::Expr::Const(Spanned::new(ast::Const { value }, span))
}

fn call_filter<'a>(
    name: &'static str,
    left: ast::Expr<'a>,
    right: ast::Expr<'a>,
    span: Span,
) -> ast::Expr<'a> {
    let filter = ast::Filter { name, expr: Some(left), args: vec![ast::CallArg::Pos(right)] };
    ast::Expr::Filter(Spanned::new(filter, span))
}
