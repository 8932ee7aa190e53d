use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }

    #[hook(point = "p", kind = "around")]
    async fn run(&self) -> Result<()> { Ok(()) }
}

fn main() {}
