//! The first frame of a GIF file, as Pillow shows it.

use std::io::Read;

use ::image::RgbImage;
use ::image::metadata::Orientation;
use gif::{ColorOutput, DecodeOptions, MemoryLimit};

use super::error::ImageError;
use super::upright::{Upright, check_memory, filled};

/// Decodes the first frame of a GIF file. The pixels and their indices take at most `limit` bytes.
///
/// The canvas around a smaller frame has the transparent colour of the frame, or the first colour of its
/// palette if no colour is transparent. A frame that exceeds the canvas enlarges it.
pub fn decode(bytes: &[u8], limit: u64) -> Result<RgbImage, ImageError> {
    let undecodable = |reason: String| ImageError::Undecodable {
        format: "GIF".to_owned(),
        reason,
    };
    let error = |error: gif::DecodingError| undecodable(error.to_string());
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    // The buffers are allocated here, after a check of their size.
    options.set_memory_limit(MemoryLimit::Unlimited);
    let (head, body) = with_palette(bytes);
    let mut decoder = options
        .read_info(head.as_slice().chain(body))
        .map_err(error)?;
    let screen = [decoder.width(), decoder.height()];
    check_memory(screen.map(u32::from), 0, limit)?;
    let Some(frame) = decoder.next_frame_info().map_err(error)? else {
        return Err(undecodable("the file has no frame".to_owned()));
    };
    let [left, top, columns, rows] =
        [frame.left, frame.top, frame.width, frame.height].map(usize::from);
    let background = usize::from(frame.transparent.unwrap_or(0));
    let local = frame.palette.clone();

    let width = (left + columns).max(usize::from(screen[0]));
    let height = (top + rows).max(usize::from(screen[1]));
    let size = [width as u32, height as u32];
    if width == 0 || height == 0 || columns == 0 || rows == 0 {
        return Err(undecodable(format!(
            "the image has {width}x{height} pixels and a frame of {columns}x{rows}, expected at least 1x1"
        )));
    }
    check_memory(size, columns as u64 * rows as u64, limit)?;

    let palette = local.as_deref().or(decoder.global_palette());
    let colours = colours(palette.unwrap_or_default());

    let mut indices = filled(columns * rows, 0_u8)?;
    decoder.read_into_buffer(&mut indices).map_err(error)?;
    let mut image = Upright::new(size, Orientation::NoTransforms)?;
    for row in 0..height {
        image.push_row(|rgb| {
            let (pixels, _) = rgb.as_chunks_mut::<3>();
            pixels.fill(colours[background]);
            if (top..top + rows).contains(&row) {
                let indices = &indices[(row - top) * columns..][..columns];
                for (pixel, &index) in pixels[left..].iter_mut().zip(indices) {
                    *pixel = colours[usize::from(index)];
                }
            }
        });
    }
    Ok(image.into_image())
}

/// Returns the header of a file and the rest. A file without a global palette gets one of greys, which are
/// the colours of a frame without a palette.
fn with_palette(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    /// Flag of a global palette, in the screen descriptor.
    const HAS_PALETTE: u8 = 0x80;
    /// Flags of a global palette of 256 colours.
    const ALL_COLOURS: u8 = HAS_PALETTE | 7;
    match bytes.split_first_chunk::<13>() {
        Some((header, rest)) if header[10] & HAS_PALETTE == 0 => {
            let mut header = header.to_vec();
            header[10] |= ALL_COLOURS;
            header.extend((0..=255).flat_map(|grey| [grey; 3]));
            (header, rest)
        }
        _ => (Vec::new(), bytes),
    }
}

/// Returns the colour of each index. Indices beyond the palette are black, or grey if the palette is one
/// of greys in order.
fn colours(palette: &[u8]) -> [[u8; 3]; 256] {
    let (palette, _) = palette.as_chunks::<3>();
    let greys: [[u8; 3]; 256] = std::array::from_fn(|index| [index as u8; 3]);
    if greys.starts_with(palette) {
        return greys;
    }
    let mut colours = [[0; 3]; 256];
    for (colour, &entry) in colours.iter_mut().zip(palette) {
        *colour = entry;
    }
    colours
}
