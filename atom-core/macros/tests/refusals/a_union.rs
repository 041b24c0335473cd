use atom_macros::model;

#[model]
pub union Number {
    pub whole: i64,
    pub fraction: f64,
}

fn main() {}
