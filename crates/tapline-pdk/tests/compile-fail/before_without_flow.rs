use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }

    #[hook(point = "p", kind = "before")]
    async fn run(&self, _context: &Context) -> Result<()> { Ok(()) }
}

fn main() {}
