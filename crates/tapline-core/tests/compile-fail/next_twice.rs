use tapline_core::{Hook, HookPoint};

fn twice(point: &HookPoint<i64, i64>) -> Hook {
    point.around("twice", |input, next| {
        Box::pin(async move {
            next.call(input).await?;
            next.call(input).await
        })
    })
}

fn main() {}
