//! What some language cannot say is refused at the declaration, with a reason that says what to write instead.

#[test]
fn declarations_that_no_border_can_carry_are_refused_with_the_reason() {
    trybuild::TestCases::new().compile_fail("tests/refusals/*.rs");
}
