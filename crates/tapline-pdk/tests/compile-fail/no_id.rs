use tapline_pdk::prelude::*;

struct Plugin;

#[plugin()]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }
}

fn main() {}
