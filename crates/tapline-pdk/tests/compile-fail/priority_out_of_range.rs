use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }

    #[hook(point = "p", kind = "around", priority = 101)]
    async fn run(&self, context: &Context) -> Result<()> { context.next().await }
}

fn main() {}
