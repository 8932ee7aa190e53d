use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x")]
impl Plugin {
    #[init] fn init() -> Result<Self> { Ok(Self) }

    #[provides(point = "node", key = "k", schema = "nowhere.json")]
    async fn run(&self, _context: &Context) -> Result<Value> { Ok(Value::Null) }
}

fn main() {}
