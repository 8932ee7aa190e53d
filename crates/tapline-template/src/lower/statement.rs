use minijinja::machinery::ast::Spanned;
use minijinja::machinery::{Span, ast};

use super::Lowering;
use crate::TemplateError;

type Lowered<'a> = Result<ast::Stmt<'a>, TemplateError>;
type Body<'a> = Result<Vec<ast::Stmt<'a>>, TemplateError>;

impl<'a> Lowering<'a> {
    pub(crate) fn template(&mut self, template: &Spanned<ast::Template<'a>>) -> Lowered<'a> {
        let children = self.body(&template.children)?;
        Ok(ast::Stmt::Template(Spanned::new(ast::Template { children }, template.span())))
    }

    fn statement(&mut self, stmt: &ast::Stmt<'a>) -> Lowered<'a> {
        Ok(match stmt {
            ast::Stmt::EmitRaw(raw) => {
                ast::Stmt::EmitRaw(Spanned::new(ast::EmitRaw { raw: raw.raw }, raw.span()))
            }
            ast::Stmt::EmitExpr(emit) => {
                let expr = self.expression(&emit.expr)?;
                ast::Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr }, emit.span()))
            }
            ast::Stmt::ForLoop(stmt) => {
                let span = stmt.span();
                self.nested(span, |this| this.for_loop(stmt, span))?
            }
            ast::Stmt::IfCond(stmt) => {
                let span = stmt.span();
                self.nested(span, |this| this.condition(stmt, span))?
            }
            ast::Stmt::WithBlock(stmt) => {
                let span = stmt.span();
                self.nested(span, |this| this.scoped(|this| this.with_block(stmt, span)))?
            }
            ast::Stmt::Set(stmt) => {
                let expr = self.expression(&stmt.expr)?;
                let target = self.target(&stmt.target)?;
                ast::Stmt::Set(Spanned::new(ast::Set { target, expr }, stmt.span()))
            }
            ast::Stmt::SetBlock(stmt) => {
                let span = stmt.span();
                self.nested(span, |this| this.set_block(stmt, span))?
            }
            ast::Stmt::FilterBlock(stmt) => {
                let span = stmt.span();
                self.nested(span, |this| this.filter_block(stmt, span))?
            }
            ast::Stmt::Continue(stmt) => ast::Stmt::Continue(Spanned::new(ast::Continue, stmt.span())),
            ast::Stmt::Break(stmt) => ast::Stmt::Break(Spanned::new(ast::Break, stmt.span())),
            ast::Stmt::AutoEscape(stmt) => return Err(self.refused("autoescape", stmt.span())),
            ast::Stmt::Do(stmt) => return Err(self.refused("do", stmt.span())),
            ast::Stmt::Template(stmt) => self.template(stmt)?,
        })
    }

    fn body(&mut self, stmts: &[ast::Stmt<'a>]) -> Body<'a> {
        stmts.iter().map(|stmt| self.statement(stmt)).collect()
    }

    fn inner(&mut self, stmts: &[ast::Stmt<'a>]) -> Body<'a> {
        self.scoped(|this| this.body(stmts))
    }

    fn for_loop(&mut self, stmt: &ast::ForLoop<'a>, span: Span) -> Lowered<'a> {
        if stmt.recursive {
            return Err(self.refused("recursive", span));
        }
        let iter = self.expression(&stmt.iter)?;
        let (target, filter_expr, body) = self.scoped(|this| {
            let target = this.target(&stmt.target)?;
            let filter_expr = this.optional(stmt.filter_expr.as_ref())?;
            this.declare("loop");
            Ok((target, filter_expr, this.body(&stmt.body)?))
        })?;
        let else_body = self.inner(&stmt.else_body)?;
        let for_loop = ast::ForLoop { target, iter, filter_expr, recursive: false, body, else_body };
        Ok(ast::Stmt::ForLoop(Spanned::new(for_loop, span)))
    }

    /// What a branch sets may be unset afterwards, so a later read of it still counts as a read of the variable.
    fn condition(&mut self, stmt: &ast::IfCond<'a>, span: Span) -> Lowered<'a> {
        let expr = self.expression(&stmt.expr)?;
        let true_body = self.inner(&stmt.true_body)?;
        let false_body = self.inner(&stmt.false_body)?;
        Ok(ast::Stmt::IfCond(Spanned::new(ast::IfCond { expr, true_body, false_body }, span)))
    }

    fn with_block(&mut self, stmt: &ast::WithBlock<'a>, span: Span) -> Lowered<'a> {
        let mut assignments = Vec::with_capacity(stmt.assignments.len());
        for (target, expr) in &stmt.assignments {
            let expr = self.expression(expr)?;
            assignments.push((self.target(target)?, expr));
        }
        let body = self.body(&stmt.body)?;
        Ok(ast::Stmt::WithBlock(Spanned::new(ast::WithBlock { assignments, body }, span)))
    }

    fn set_block(&mut self, stmt: &ast::SetBlock<'a>, span: Span) -> Lowered<'a> {
        let filter = self.optional(stmt.filter.as_ref())?;
        let body = self.inner(&stmt.body)?;
        let target = self.target(&stmt.target)?;
        Ok(ast::Stmt::SetBlock(Spanned::new(ast::SetBlock { target, filter, body }, span)))
    }

    fn filter_block(&mut self, stmt: &ast::FilterBlock<'a>, span: Span) -> Lowered<'a> {
        let filter = self.expression(&stmt.filter)?;
        let body = self.inner(&stmt.body)?;
        let block = ast::FilterBlock { filter, filter_span: stmt.filter_span, body };
        Ok(ast::Stmt::FilterBlock(Spanned::new(block, span)))
    }

    /// The names that a `for`, `set` or `with` declares.
    fn target(&mut self, target: &ast::Expr<'a>) -> Result<ast::Expr<'a>, TemplateError> {
        let span = target.span();
        Ok(match target {
            ast::Expr::Var(var) => {
                self.declare(var.id);
                ast::Expr::Var(Spanned::new(ast::Var { id: var.id }, span))
            }
            ast::Expr::List(list) => {
                ast::Expr::List(Spanned::new(ast::List { items: self.targets(&list.items)? }, span))
            }
            ast::Expr::Tuple(tuple) => {
                ast::Expr::Tuple(Spanned::new(ast::Tuple { items: self.targets(&tuple.items)? }, span))
            }
            other => return Err(self.syntax_error("only a plain name can be set", other.span())),
        })
    }

    fn targets(&mut self, targets: &[ast::Expr<'a>]) -> Result<Vec<ast::Expr<'a>>, TemplateError> {
        targets.iter().map(|target| self.nested(target.span(), |this| this.target(target))).collect()
    }

    fn refused(&self, word: &str, span: Span) -> TemplateError {
        self.syntax_error(format!("`{word}` is not part of the language"), span)
    }
}
