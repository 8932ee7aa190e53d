use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x", instances = "one")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }

    #[export_state]
    fn export(&self) -> Result<u32> { Ok(1) }
}

fn main() {}
