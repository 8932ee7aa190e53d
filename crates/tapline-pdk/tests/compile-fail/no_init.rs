use tapline_pdk::prelude::*;

struct Plugin;

#[plugin(id = "x")]
impl Plugin {
    
}

fn main() {}
