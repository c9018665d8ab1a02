//! Bytes as letters: five for four bytes, where base64 has six.
//!
//! Four bytes are one number, the first byte first, and its five digits to the base 85 are letters, the first
//! digit first. Of the last group there are one to three bytes, and a letter more than bytes. No letter ends an
//! element of HTML, or begins something in it.

/// The digits, in the order of ASCII.
const DIGITS: &[u8; 85] =
    b"!#%()*+,./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";

/// Writes bytes as letters.
pub(super) fn letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(4) * 5);
    for group in bytes.chunks(4) {
        let mut four = [0; 4];
        for (to, from) in four.iter_mut().zip(group) {
            *to = *from;
        }
        let mut rest = u32::from_be_bytes(four);
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = (rest % 85) as usize;
            rest /= 85;
        }
        let digits = digits.iter().take(group.len() + 1);
        text.extend(digits.map(|&digit| char::from(DIGITS[digit])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{DIGITS, letters};

    /// The bytes of letters, by whole numbers of any length.
    fn bytes(text: &str) -> Vec<u8> {
        let digit = |letter: u8| {
            DIGITS
                .iter()
                .position(|&each| each == letter)
                .expect("a digit")
        };
        let group = |group: &[u8]| {
            // What is left out is as large as it can be: the bytes before it are the same.
            let digits = group.iter().map(|&letter| digit(letter));
            let digits = digits.chain(std::iter::repeat(84)).take(5);
            let number = digits.fold(0_u64, |number, digit| number * 85 + digit as u64);
            let four = u32::try_from(number).expect("four bytes").to_be_bytes();
            four[..group.len() - 1].to_vec()
        };
        text.as_bytes().chunks(5).flat_map(group).collect()
    }

    #[test]
    fn letters_are_read_back() {
        let all: Vec<u8> = (0..=255).collect();
        for length in [0, 1, 2, 3, 4, 5, 255, 256] {
            assert_eq!(bytes(&letters(&all[..length])), &all[..length]);
        }
        for extreme in [[0; 7], [255; 7]] {
            for length in 0..7 {
                assert_eq!(bytes(&letters(&extreme[..length])), &extreme[..length]);
            }
        }
        assert_eq!(letters(&[255; 4]).len(), 5);
    }

    #[test]
    fn letters_are_none_that_html_reads() {
        assert!(DIGITS.iter().all(u8::is_ascii_graphic));
        assert!(!DIGITS.iter().any(|digit| b"<>&\"'`\\-$".contains(digit)));
        assert!(DIGITS.is_sorted_by(|a, b| a < b));
    }
}
