//! The command that plays a cell of the map again.

use crate::record::loops::Loop;
use crate::record::map::Column;

/// The command for a loop in a column. Nothing is left to what the command takes by itself, and
/// each value is one word of a shell, whatever is in the record.
pub fn of(column: &Column, one: &Loop) -> String {
    format!("rstall show {} {}", column_of(column), loop_of(one))
}

/// What a column is on the command line.
pub fn column_of(Column { kernel, fault, arm }: &Column) -> String {
    let arm = if arm.is_empty() { String::new() } else { format!(" --arm {}", word(arm)) };
    format!("{} --kernel {}{arm}", word(fault), word(kernel))
}

/// What a loop is on the command line.
pub fn loop_of(one: &Loop) -> String {
    let Loop { backend, mode, discipline, retry } = one;
    let discipline = word(&discipline.to_string());
    let (backend, mode, retry) = (word(backend), mode.name(), retry.name());
    format!("--backend {backend} --listener {mode} --discipline {discipline} --retry {retry}")
}

/// A value as one word of a shell: quoted where it is not plain.
fn word(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.,/:=%+@".contains(c);
    match !value.is_empty() && value.chars().all(is_plain) {
        true => value.to_owned(),
        false => format!("'{}'", value.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::word;

    #[test]
    fn a_value_is_one_word_whatever_it_holds() {
        assert_eq!(word("io_uring-2"), "io_uring-2");
        assert_eq!(word("$(rm x); 'y'"), "'$(rm x); '\\''y'\\'''");
        assert_eq!(word(""), "''");
    }
}
