//! Random streams of the devices, made when they are first drawn from: most devices of a laboratory never fail, and a
//! stream takes some three hundred bytes.

use labtrust_kernel::{Memory, Remembered, Stream, Streams};

/// A stream for each device, for one purpose.
#[derive(Debug)]
pub(crate) struct DeviceStreams {
    streams: Streams,
    purpose: &'static str,
    made: Vec<Option<Box<Stream>>>,
}

impl DeviceStreams {
    pub(super) fn new(streams: Streams, purpose: &'static str, devices: usize) -> Self {
        Self { streams, purpose, made: std::iter::repeat_with(|| None).take(devices).collect() }
    }

    /// The stream of a device, which is named by its id.
    pub(crate) fn of(&mut self, device: usize, id: &str) -> &mut Stream {
        let Self { streams, purpose, made } = self;
        made[device].get_or_insert_with(|| Box::new(streams.stream(purpose, id)))
    }

    /// Takes the streams that were made away.
    pub(super) fn take(&mut self) -> Vec<Option<Box<Stream>>> {
        std::mem::take(&mut self.made)
    }

    /// Puts them back.
    pub(super) fn put(&mut self, made: Vec<Option<Box<Stream>>>) {
        self.made = made;
    }

    #[cfg(test)]
    pub(crate) fn set(&mut self, device: usize, stream: Stream) {
        self.made[device] = Some(Box::new(stream));
    }
}

/// A stream that nobody has drawn from stands at its beginning, whether it is made or not.
impl Remembered for DeviceStreams {
    fn recall(&self, memory: &mut Memory) {
        memory.number(self.made.len() as u64);
        for stream in &self.made {
            match stream {
                Some(stream) => stream.recall(memory),
                None => memory.write(&0_u128.to_le_bytes()),
            }
        }
    }
}
