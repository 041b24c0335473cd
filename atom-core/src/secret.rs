//! Text that must not be printed.

use zeroize::Zeroizing;

/// A secret text: a token, a password, a key. It has no `Debug`, `Display` or `Serialize`, is wiped from memory when
/// dropped, and is compared in constant time.
///
/// In the other languages it is a plain string, because they have no type that could keep it safer.
///
/// ```
/// let secret = atom_core::Secret::from("correct horse battery staple");
/// assert_eq!(secret.expose().len(), 28);
/// ```
#[derive(Clone, Default)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The text itself. Pass it on; never log or store it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        subtle::ConstantTimeEq::ct_eq(self.0.as_bytes(), other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

crate::bridge::string_like!(Secret, |text: String| Ok::<_, crate::Error>(Secret::from(text)), |secret: Secret| secret
    .expose()
    .to_owned());
