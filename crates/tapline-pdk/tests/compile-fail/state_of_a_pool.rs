use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }

    #[export_state]
    fn export(&self) -> Result<u32> { Ok(1) }

    #[import_state]
    fn import(&self, _state: u32, _from: Version) -> Result<()> { Ok(()) }
}

fn main() {}
