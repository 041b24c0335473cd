use atom_macros::model;

#[model(hidden)]
pub struct Password {
    pub text: String,
}

fn main() {}
