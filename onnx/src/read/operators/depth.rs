//! Rearrangements of channels to blocks of pixels and back.

use crate::read::call::Call;
use crate::read::fault::{Result, invalid};
use crate::read::operand::Operand;
use crate::read::shape::length;

/// Returns the operand, its shape and the length of a block.
fn maps(call: &Call<'_, '_>) -> Result<(Operand, [usize; 4], usize)> {
    let x = call.input(0)?;
    let block = length(call.attributes.integer("blocksize", 0)?, "blocksize")?;
    let shape: Result<[usize; 4]> = match call.shape(&x).try_into() {
        Ok(shape) => Ok(shape),
        Err(shape) => invalid(format!("an operand of shape {shape:?}, expected maps")),
    };
    if block == 0 || block > 1 << 16 {
        return invalid(format!("blocksize is {block}, expected 1 to 65536"));
    }
    Ok((x, shape?, block))
}

/// `DepthToSpace`.
pub fn depth_to_space(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, [images, channels, height, width], block) = maps(call)?;
    let square = block * block;
    if !channels.is_multiple_of(square) {
        return invalid(format!(
            "{channels} channels in blocks of {block} x {block}"
        ));
    }
    let rest = channels / square;
    let (split, axes) = match call.attributes.text("mode", "DCR")? {
        "DCR" => (
            [images, block, block, rest, height, width],
            [0, 3, 4, 1, 5, 2],
        ),
        "CRD" => (
            [images, rest, block, block, height, width],
            [0, 1, 4, 2, 5, 3],
        ),
        other => return invalid(format!("the mode is \"{other}\", expected DCR or CRD")),
    };
    let split = call.reshape(&x, split.to_vec())?;
    let moved = call.permute(&split, axes.to_vec())?;
    let shape = vec![images, rest, height * block, width * block];
    Ok(vec![call.reshape(&moved, shape)?])
}

/// `SpaceToDepth`.
pub fn space_to_depth(call: &mut Call<'_, '_>) -> Result<Vec<Operand>> {
    let (x, [images, channels, height, width], block) = maps(call)?;
    if !height.is_multiple_of(block) || !width.is_multiple_of(block) {
        return invalid(format!(
            "maps of {height} x {width} in blocks of {block} x {block}"
        ));
    }
    let [rows, columns] = [height / block, width / block];
    let axes = match call.attributes.text("mode", "DCR")? {
        "DCR" => [0, 3, 5, 1, 2, 4],
        "CRD" => [0, 1, 3, 5, 2, 4],
        other => return invalid(format!("the mode is \"{other}\", expected DCR or CRD")),
    };
    let split = vec![images, channels, rows, block, columns, block];
    let split = call.reshape(&x, split)?;
    let moved = call.permute(&split, axes.to_vec())?;
    let shape = vec![images, channels * block * block, rows, columns];
    Ok(vec![call.reshape(&moved, shape)?])
}
