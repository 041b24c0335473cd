use atom_macros::id;

#[id]
pub struct UserId(String);

fn main() {}
