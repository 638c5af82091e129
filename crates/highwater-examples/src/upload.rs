//! A file on its way, whose end is the end of the connection.

use highwater_net::StreamWriter;

/// Dropped before it is whole, it resets the connection: a clean end would make the other side believe that this
/// was all.
///
/// ```
/// use highwater_examples::upload::Upload;
/// # let ((_, writer), _other) = highwater_net::duplex(64);
/// let upload = Upload::new(&writer);
/// writer.write("half of").unwrap();
/// drop(upload);
/// assert!(writer.write("it").is_err());
/// ```
#[derive(Debug)]
#[must_use = "dropped, it resets the connection"]
pub struct Upload<'w> {
    writer: &'w StreamWriter,
    is_whole: bool,
}

impl<'w> Upload<'w> {
    /// The beginning of one.
    ///
    /// ```
    /// # let ((_, writer), _other) = highwater_net::duplex(64);
    /// let upload = highwater_examples::upload::Upload::new(&writer);
    /// writer.write("all of it").unwrap();
    /// upload.whole();
    /// ```
    pub fn new(writer: &'w StreamWriter) -> Self {
        Self { writer, is_whole: false }
    }

    /// Everything has been sent, the end as well.
    ///
    /// ```
    /// # let ((_, writer), _other) = highwater_net::duplex(64);
    /// highwater_examples::upload::Upload::new(&writer).whole();
    /// assert!(writer.write("more").is_ok());
    /// ```
    pub fn whole(mut self) {
        self.is_whole = true;
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if !self.is_whole {
            self.writer.abort();
        }
    }
}
