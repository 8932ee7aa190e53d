use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x", id = "y")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }
}

fn main() {}
