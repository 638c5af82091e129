//! The model of `WriteBuffer`.

/// Bytes to be written, in order.
///
/// ```
/// use highwater_testing::WriteModel;
///
/// let mut model = WriteModel::new();
/// model.push(b"abc");
/// model.advance(1);
/// assert_eq!(model.bytes(), b"bc");
/// ```
#[derive(Clone, Debug, Default)]
pub struct WriteModel {
    /// What was pushed and not taken.
    bytes: Vec<u8>,
}

impl WriteModel {
    /// An empty one.
    ///
    /// ```
    /// # use highwater_testing::WriteModel;
    /// assert!(WriteModel::new().bytes().is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends `bytes`.
    ///
    /// ```
    /// # use highwater_testing::WriteModel;
    /// let mut model = WriteModel::new();
    /// model.push(b"ab");
    /// model.push(b"c");
    /// assert_eq!(model.bytes(), b"abc");
    /// ```
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Moves all that `other` holds behind what is here.
    ///
    /// ```
    /// # use highwater_testing::WriteModel;
    /// let (mut first, mut second) = (WriteModel::new(), WriteModel::new());
    /// second.push(b"second");
    /// first.append(&mut second);
    /// assert_eq!((first.bytes(), second.bytes()), (&b"second"[..], &b""[..]));
    /// ```
    pub fn append(&mut self, other: &mut WriteModel) {
        self.bytes.append(&mut other.bytes);
    }

    /// Takes `count` bytes from the front.
    ///
    /// # Panics
    /// When there are fewer.
    ///
    /// ```
    /// # use highwater_testing::WriteModel;
    /// let mut model = WriteModel::new();
    /// model.push(b"abc");
    /// model.advance(2);
    /// assert_eq!(model.bytes(), b"c");
    /// ```
    pub fn advance(&mut self, count: usize) {
        self.bytes.drain(..count);
    }

    /// Drops everything.
    ///
    /// ```
    /// # use highwater_testing::WriteModel;
    /// let mut model = WriteModel::new();
    /// model.push(b"abc");
    /// model.clear();
    /// assert!(model.bytes().is_empty());
    /// ```
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// What was pushed and not taken.
    ///
    /// ```
    /// # use highwater_testing::WriteModel;
    /// assert_eq!(WriteModel::new().bytes(), b"");
    /// ```
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
