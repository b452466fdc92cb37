//! How much is measured.

/// How much is measured: more of it takes longer and moves less from run to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// By itself: `cargo xtask bench NAME`.
    Alone,
    /// As a part of the report, which has to be there within twenty minutes.
    Report,
    /// Only to see whether everything runs. Its figures mean nothing, and are written nowhere.
    Quick,
}

impl Size {
    pub(crate) fn pick<T>(self, alone: T, report: T, quick: T) -> T {
        match self {
            Self::Alone => alone,
            Self::Report => report,
            Self::Quick => quick,
        }
    }
}
