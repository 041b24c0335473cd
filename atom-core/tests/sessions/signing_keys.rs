//! The keys that sign access tokens, and how they take turns.

use super::*;
use std::sync::Arc;
