use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x", requires = { context = { read = ["input.a", "*"] } })]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }
}

fn main() {}
