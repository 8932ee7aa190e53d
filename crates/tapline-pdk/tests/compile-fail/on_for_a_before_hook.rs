use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "plugin")]
impl Plugin {
    #[init]
    fn init() -> Result<Self> {
        Ok(Self)
    }

    #[hook(point = "p", kind = "before", on = "always")]
    fn x(&self, _: &Context) -> Result<Flow> {
        Ok(Flow::Proceed)
    }
}

fn main() {}
