use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "plugin")]
impl Plugin {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[hook(point = "p", kind = "answer")]
    fn x(&self, _: &Context) -> Result<u32> {
        Ok(1)
    }
}

fn main() {}
