use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x", colour = "red")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }
}

fn main() {}
