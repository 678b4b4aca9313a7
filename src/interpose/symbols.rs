//! The two symbols, for the programs that are to have them.
#![allow(unsafe_code)]

/// Defines `accept` and `accept4` in the program that says this, so that a modelled kernel
/// can answer for them. Once in a program, at its root; a library must not.
///
/// On systems where no modelled kernel is [`offered`](crate::interpose::offered) it defines
/// nothing.
#[macro_export]
macro_rules! interpose_accept {
    () => {
        #[cfg(target_os = "linux")]
        #[allow(unsafe_code)]
        mod interposed_accept {
            use $crate::interpose::{c_int, sockaddr, socklen_t};

            /// accept(2): accept4 without flags.
            ///
            /// # Safety
            ///
            /// As accept(2): `address` and `length` may be anything, and what the kernel
            /// would refuse is refused.
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn accept(
                listener: c_int,
                address: *mut sockaddr,
                length: *mut socklen_t,
            ) -> c_int {
                // SAFETY: the caller's own promise.
                unsafe { $crate::interpose::accept4(listener, address, length, 0) }
            }

            /// accept4(2).
            ///
            /// # Safety
            ///
            /// As [`accept`].
            #[unsafe(no_mangle)]
            pub unsafe extern "C" fn accept4(
                listener: c_int,
                address: *mut sockaddr,
                length: *mut socklen_t,
                flags: c_int,
            ) -> c_int {
                // SAFETY: the caller's own promise.
                unsafe { $crate::interpose::accept4(listener, address, length, flags) }
            }
        }
    };
}
