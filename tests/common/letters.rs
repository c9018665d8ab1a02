//! Bytes of a page's letters, after what the page's own documentation says of them.

/// The letters, in the order of ASCII: all that can be seen but `"$&'-<>\\` and the backtick.
fn digit(letter: u8) -> u64 {
    let is_digit = |letter: &u8| !b"\"$&'-<>\\`".contains(letter);
    let before = (b'!'..letter).filter(is_digit);
    before.count() as u64
}

/// The bytes of letters.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(5) {
        let mut number = 0;
        for place in 0..5 {
            number = number * 85 + group.get(place).map_or(84, |&letter| digit(letter));
        }
        let four = number.to_be_bytes();
        bytes.extend_from_slice(&four[4..4 + group.len() - 1]);
    }
    bytes
}
