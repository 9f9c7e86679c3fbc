//! The first frame of GIF files. The expected values are Pillow's.
#![cfg(feature = "image")]

use receptive_layers::image::{self, RgbImage};

const PALETTE: [u8; 12] = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120];
const LOCAL: [u8; 12] = [200, 1, 2, 3, 201, 4, 5, 6, 202, 203, 204, 205];

/// A file with one frame of the indices 0, 1, 2 and 3 in turn.
#[derive(Default, Clone, Copy)]
struct Gif<'a> {
    canvas: [u16; 2],
    /// Left, top, width and height.
    frame: [u16; 4],
    global: &'a [u8],
    local: &'a [u8],
    transparent: Option<u8>,
    background: u8,
    is_interlaced: bool,
}

impl Gif<'_> {
    fn encode(&self) -> Vec<u8> {
        let palette_flags = |palette: &[u8]| match palette.len() / 3 {
            0 => 0,
            colours => 0x80 | (colours.ilog2() as u8 - 1),
        };
        let words = |words: &[u16]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_le_bytes()).collect()
        };
        let mut bytes = b"GIF89a".to_vec();
        bytes.extend(words(&self.canvas));
        bytes.extend([palette_flags(self.global), self.background, 0]);
        bytes.extend(self.global);
        if let Some(index) = self.transparent {
            bytes.extend([0x21, 0xf9, 4, 1, 0, 0, index, 0]);
        }
        bytes.push(0x2c);
        bytes.extend(words(&self.frame));
        bytes.push(palette_flags(self.local) | if self.is_interlaced { 0x40 } else { 0 });
        bytes.extend(self.local);

        // Codes of three bits, each after a clear code, and the end code.
        let [_, _, width, height] = self.frame.map(u32::from);
        let codes = (0..width * height).flat_map(|index| [4, index % 4]);
        let bits = codes
            .chain([5])
            .flat_map(|code| [code & 1, code >> 1 & 1, code >> 2]);
        let bits: Vec<u32> = bits.collect();
        let data: Vec<u8> = bits
            .chunks(8)
            .map(|bits| {
                bits.iter()
                    .rev()
                    .fold(0, |byte, &bit| byte << 1 | bit as u8)
            })
            .collect();
        bytes.push(2);
        for block in data.chunks(255) {
            bytes.push(block.len() as u8);
            bytes.extend(block);
        }
        bytes.extend([0, 0x3b]);
        bytes
    }

    fn decode(&self) -> RgbImage {
        image::decode(&self.encode()).unwrap()
    }
}

/// Returns the red samples of each row.
fn reds(image: &RgbImage) -> Vec<Vec<u8>> {
    let rows = image.rows();
    rows.map(|row| row.map(|pixel| pixel.0[0]).collect())
        .collect()
}

#[test]
fn a_smaller_frame_is_surrounded_by_a_colour_of_its_palette() {
    let gif = Gif {
        canvas: [4, 4],
        frame: [1, 1, 2, 2],
        global: &PALETTE,
        // The background colour of the screen does not count.
        background: 2,
        ..Gif::default()
    };
    let around = |colour: u8| -> Vec<Vec<u8>> {
        vec![
            vec![colour; 4],
            vec![colour, 10, 40, colour],
            vec![colour, 70, 100, colour],
            vec![colour; 4],
        ]
    };
    assert_eq!(reds(&gif.decode()), around(10));
    let with = |transparent| Gif {
        transparent: Some(transparent),
        ..gif
    };
    // The palette lacks the last one.
    for (transparent, colour) in [(0, 10), (1, 40), (3, 100), (200, 0)] {
        assert_eq!(reds(&with(transparent).decode()), around(colour));
    }

    let local = Gif {
        local: &LOCAL,
        ..with(2)
    };
    assert_eq!(reds(&local.decode())[..2], [vec![5; 4], vec![5, 200, 3, 5]]);
    assert_eq!(local.decode().get_pixel(0, 0).0, [5, 6, 202]);
}

#[test]
fn a_frame_that_exceeds_the_canvas_enlarges_it() {
    let gif = Gif {
        canvas: [2, 1],
        frame: [1, 2, 3, 2],
        global: &PALETTE,
        transparent: Some(1),
        ..Gif::default()
    };
    assert_eq!(
        reds(&gif.decode()),
        [
            [40, 40, 40, 40],
            [40, 40, 40, 40],
            [40, 10, 40, 70],
            [40, 100, 10, 40]
        ]
    );
}

#[test]
fn a_frame_without_a_palette_is_grey() {
    let gif = Gif {
        canvas: [3, 2],
        frame: [0, 0, 2, 2],
        transparent: Some(9),
        ..Gif::default()
    };
    let image = gif.decode();
    assert_eq!(reds(&image), [[0, 1, 9], [2, 3, 9]]);
    assert_eq!(image.get_pixel(2, 0).0, [9; 3]);
}

#[test]
fn indices_beyond_the_palette_are_black() {
    let gif = Gif {
        canvas: [4, 1],
        frame: [0, 0, 4, 1],
        global: &PALETTE[..6],
        ..Gif::default()
    };
    assert_eq!(reds(&gif.decode()), [[10, 40, 0, 0]]);
}

#[test]
fn interlaced_rows_are_ordered() {
    let gif = Gif {
        canvas: [1, 8],
        frame: [0, 0, 1, 8],
        global: &PALETTE,
        is_interlaced: true,
        ..Gif::default()
    };
    // The file has the rows 0, 4, 2, 6, 1, 3, 5, 7.
    let expected = [10, 10, 70, 40, 40, 70, 100, 100];
    assert_eq!(reds(&gif.decode()), expected.map(|red| [red]));
}

#[test]
fn cut_files_and_frames_without_pixels_are_errors() {
    let gif = Gif {
        canvas: [9, 9],
        frame: [1, 1, 7, 7],
        global: &PALETTE,
        ..Gif::default()
    };
    let bytes = gif.encode();
    // The trailer, the end of the frame's data and the end code may be missing.
    for length in 0..bytes.len() - 4 {
        assert!(image::decode(&bytes[..length]).is_err(), "{length}");
    }
    for frame in [[0, 0, 0, 3], [0, 0, 3, 0]] {
        let error = image::decode(&Gif { frame, ..gif }.encode()).unwrap_err();
        assert!(
            error.to_string().contains("expected at least 1x1"),
            "{error}"
        );
    }
}
