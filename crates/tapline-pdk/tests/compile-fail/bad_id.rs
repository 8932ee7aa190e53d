use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "Big Plugin")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }
}

fn main() {}
