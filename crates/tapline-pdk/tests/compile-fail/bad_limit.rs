use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x", limits = { memory = "64MB" })]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }
}

fn main() {}
