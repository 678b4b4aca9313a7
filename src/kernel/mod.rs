//! The kernels: what each makes of a connection that is aborted in its accept queue.
//!
//! The book has four answers and a machine has one. `native` is the machine's own; the
//! others are modelled: [`crate::interpose`] has the real accept done and then answers as
//! the model says. The decision itself is [`Model::decide`], a pure function that knows of
//! no carrier.
//!
//! To add one: write `<name>.rs` with a `pub const KERNEL: Kernel`, and add its line
//! to the registry below.

use serde::{Deserialize, Serialize};

use crate::outcome::Abort;

/// A kernel whose accept queue loops are tried on.
#[derive(Debug)]
pub struct Kernel {
    /// The name used on the command line and in records; also the file's.
    pub name: &'static str,
    /// Which systems it stands for.
    pub systems: &'static str,
    /// One sentence: what becomes of a connection that was aborted in the accept queue.
    pub about: &'static str,
    /// Where that is to be read.
    pub source: &'static str,
    /// What is modelled; `None` where it is the machine's own kernel, with nothing done to it.
    pub model: Option<Model>,
}

/// What a modelled kernel makes of a connection that was aborted in the accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// The connection is gone from the queue as soon as it is aborted: accept never sees it.
    Vanishes,
    /// It stays queued, and the accept that comes to it fails with this error.
    Fails(Abort),
}

/// What stands at the head of an accept queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Head {
    /// Nothing: the queue is empty.
    Nothing,
    /// A connection that was not aborted. One whose client has sent a FIN counts: it can be
    /// accepted and read to its end.
    Alive,
    /// A connection that is gone: reset by its client, or dropped by the kernel since.
    Aborted,
}

/// What one look at the queue makes an accept do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Take the connection off the queue and return it.
    Deliver,
    /// Take it off the queue, release it, and look again: the caller is told nothing.
    Discard,
    /// Take it off the queue, release it, and fail with this error.
    Fail(Abort),
    /// Wait until the queue is not empty, and look again.
    Wait,
    /// Fail with EWOULDBLOCK.
    WouldBlock,
}

impl Model {
    /// What this kernel's accept does about the head of the queue. `blocking` is whether
    /// O_NONBLOCK was clear when the call was made (accept(2); 4.4BSD looks at SS_NBIO once,
    /// on entry: kern/uipc_syscalls.c `accept1`).
    pub fn decide(self, head: Head, blocking: bool) -> Decision {
        match (head, self) {
            (Head::Alive, _) => Decision::Deliver,
            (Head::Aborted, Model::Vanishes) => Decision::Discard,
            (Head::Aborted, Model::Fails(abort)) => Decision::Fail(abort),
            (Head::Nothing, _) if blocking => Decision::Wait,
            (Head::Nothing, _) => Decision::WouldBlock,
        }
    }
}

impl Kernel {
    /// Whether it is the machine's own.
    pub fn is_native(&self) -> bool {
        self.model.is_none()
    }

    /// Whether an aborted connection leaves the queue by itself, so that no accept answers
    /// for it and it makes no listener ready.
    pub fn drops_aborted(&self) -> bool {
        self.model == Some(Model::Vanishes)
    }
}

/// Kernels are told apart by name.
impl PartialEq for Kernel {
    fn eq(&self, other: &Kernel) -> bool {
        self.name == other.name
    }
}

macro_rules! kernels {
    ($($name:ident;)*) => {
        $(pub mod $name;)*

        /// Every kernel that rstall knows, the machine's own first.
        pub static ALL: &[&Kernel] = &[$(&$name::KERNEL),*];
    };
}

kernels! {
    native;
    berkeley;
    svr4;
    posix;
}

/// The machine's own kernel.
pub const NATIVE: &Kernel = &native::KERNEL;

/// What records mean that are older than the kernels and name none.
pub(crate) fn native_name() -> String {
    NATIVE.name.to_owned()
}

/// The kernel of that name.
pub fn find(name: &str) -> Option<&'static Kernel> {
    ALL.iter().copied().find(|kernel| kernel.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of the model's own, and accepts on it until it has nothing more to say: what
    /// a caller sees, one entry a call.
    fn calls(model: Model, queue: &[Head], blocking: bool) -> Vec<Decision> {
        let mut queue = queue.iter().copied();
        let mut seen = Vec::new();
        loop {
            let head = queue.next().unwrap_or(Head::Nothing);
            match model.decide(head, blocking) {
                Decision::Discard => {}
                last @ (Decision::Wait | Decision::WouldBlock) => {
                    seen.push(last);
                    return seen;
                }
                answer => seen.push(answer),
            }
        }
    }

    #[test]
    fn the_book_s_answers() {
        use Decision::{Deliver, Fail, Wait, WouldBlock};
        let queue = [Head::Aborted, Head::Alive, Head::Aborted, Head::Aborted];
        for (name, errno) in [("svr4", Abort::Protocol), ("posix", Abort::Connection)] {
            let model = find(name).and_then(|kernel| kernel.model).expect("a modelled kernel");
            let failed = Fail(errno);
            let seen = calls(model, &queue, false);
            assert_eq!(seen, [failed, Deliver, failed, failed, WouldBlock], "{name}");
            assert_eq!(calls(model, &[Head::Aborted], true), [failed, Wait], "{name}");
        }
        let berkeley = find("berkeley").and_then(|kernel| kernel.model).expect("a model");
        assert_eq!(calls(berkeley, &queue, false), [Deliver, WouldBlock]);
        assert_eq!(calls(berkeley, &[Head::Aborted], true), [Wait]);
        assert_eq!(calls(berkeley, &[], false), [WouldBlock]);
    }

    #[test]
    fn the_machine_s_own_kernel_is_the_first_and_the_only_one_without_a_model() {
        assert_eq!(NATIVE.name, "native");
        let unmodelled: Vec<&str> =
            ALL.iter().filter(|kernel| kernel.is_native()).map(|kernel| kernel.name).collect();
        assert_eq!(unmodelled, ["native"]);
    }
}
