//! Operators: their values.

use receptive_layers::graph::{Arithmetic, Conv2d, Function, Op, ValueData};

use super::interpreter::Array;
use super::models::{
    file, float, floats, info, int, integer, ints, list, message, node, numbers, one, ops, read,
    rounded, run, tensor, text,
};

#[test]
fn convolutions_along_one_and_two_axes() {
    let weight = numbers("w", &[1, 1, 2, 2], &[1.0, 0.0, 0.0, 1.0]);
    let attributes = [ints("pads", &[0, 0, 1, 0]), ints("strides", &[2, 1])];
    let found = run(one(17, "Conv", &[1, 1, 3, 3], &[weight], &attributes));
    assert_eq!(found, Array::new(&[1, 1, 2, 2], vec![6.0, 8.0, 7.0, 8.0]));

    let constants = [
        numbers("w", &[2, 1, 2], &[1.0, 1.0, 1.0, -1.0]),
        numbers("b", &[2], &[0.0, 5.0]),
    ];
    let model = one(
        17,
        "Conv",
        &[1, 1, 4],
        &constants,
        &[ints("dilations", &[2])],
    )
    .expect("read");
    let words: Vec<&str> = model
        .graph
        .nodes
        .iter()
        .map(|node| node.op.word())
        .collect();
    assert_eq!(words, ["reshape", "conv", "reshape"]);
    let weight = model.graph.value(model.graph.nodes[1].inputs[1]);
    assert_eq!(
        (weight.parameter().map(|(name, _)| name), &weight.shape[..]),
        (Some("w"), &[2, 1, 2, 1][..])
    );
    let found = run(Ok(model));
    assert_eq!(found, Array::new(&[1, 2, 2], vec![4.0, 6.0, 3.0, 3.0]));
}

#[test]
fn automatic_padding_is_that_of_the_sizes() {
    let weight = || numbers("w", &[1, 1, 3, 3], &[0.0; 9]);
    let conv = |mode: &str, stride: i64| {
        let attributes = [text("auto_pad", mode), ints("strides", &[stride, stride])];
        let model = one(11, "Conv", &[1, 1, 4, 5], &[weight()], &attributes).expect("read");
        match ops(&model.graph)[0] {
            Op::Conv2d(Conv2d { padding, .. }) => padding,
            ref other => panic!("{other:?}"),
        }
    };
    assert_eq!(conv("SAME_UPPER", 2), [[0, 1], [1, 1]]);
    assert_eq!(conv("SAME_LOWER", 2), [[1, 0], [1, 1]]);
    assert_eq!(conv("VALID", 1), [[0, 0], [0, 0]]);
}

#[test]
fn transposed_convolutions() {
    let weight = || numbers("w", &[1, 1, 2, 2], &[1.0, 2.0, 3.0, 4.0]);
    let found = run(one(
        11,
        "ConvTranspose",
        &[1, 1, 1, 2],
        &[weight()],
        &[ints("strides", &[2, 2])],
    ));
    assert_eq!(
        found,
        Array::new(&[1, 1, 2, 4], vec![1.0, 2.0, 2.0, 4.0, 3.0, 4.0, 6.0, 8.0])
    );
    let attributes = [ints("strides", &[1, 1]), ints("output_shape", &[3, 2])];
    let found = run(one(
        11,
        "ConvTranspose",
        &[1, 1, 1, 2],
        &[weight()],
        &attributes,
    ));
    assert_eq!(
        found,
        Array::new(&[1, 1, 3, 2], vec![4.0, 4.0, 10.0, 8.0, 0.0, 0.0])
    );
}

#[test]
fn pools_round_up_and_count_padding() {
    let attributes = [
        ints("kernel_shape", &[2, 2]),
        ints("strides", &[2, 2]),
        int("ceil_mode", 1),
    ];
    let found = run(one(12, "MaxPool", &[1, 1, 3, 3], &[], &attributes));
    assert_eq!(found, Array::new(&[1, 1, 2, 2], vec![5.0, 6.0, 8.0, 9.0]));
    // A last window that starts in the padding is dropped.
    let attributes = [
        ints("kernel_shape", &[1]),
        ints("strides", &[3]),
        ints("pads", &[0, 1]),
        int("ceil_mode", 1),
    ];
    assert_eq!(
        run(one(12, "MaxPool", &[1, 1, 3], &[], &attributes)).shape,
        [1, 1, 1]
    );
    let average = |include: i64| {
        let attributes = [
            ints("kernel_shape", &[2]),
            ints("pads", &[1, 0]),
            int("count_include_pad", include),
        ];
        run(one(11, "AveragePool", &[1, 1, 2], &[], &attributes)).values
    };
    assert_eq!(average(0), [1.0, 1.5]);
    assert_eq!(average(1), [0.5, 1.5]);
    let attributes = [
        ints("kernel_shape", &[2]),
        ints("dilations", &[2]),
        ints("pads", &[1, 1]),
    ];
    let dilated = run(one(19, "AveragePool", &[1, 1, 3], &[], &attributes));
    assert_eq!(dilated.values, [2.0, 2.0, 2.0]);
    let norms = run(one(
        18,
        "LpPool",
        &[1, 1, 4],
        &[],
        &[ints("kernel_shape", &[4]), int("p", 1)],
    ));
    assert_eq!(norms.values, [10.0]);
}

#[test]
fn the_indices_of_pools_are_not_supported() {
    let nodes = vec![node(
        "MaxPool",
        &["x"],
        &["m", "y"],
        &[ints("kernel_shape", &[2, 2])],
    )];
    assert_eq!(
        message(read(&file(12, &[1, 1, 4, 4], nodes, vec![]))),
        "unsupported node m (MaxPool, opset 12): the indices of the largest elements"
    );
}

#[test]
fn norms() {
    let pair = |name: &str| numbers(name, &[2], &[1.0, 2.0]);
    let found = run(one(
        15,
        "InstanceNormalization",
        &[1, 2, 2, 1],
        &[pair("a"), pair("b")],
        &[float("epsilon", 0.0)],
    ));
    assert_eq!(rounded(found).values, [0.0, 2.0, 0.0, 4.0]);
    let found = run(one(
        17,
        "LayerNormalization",
        &[1, 3, 2],
        &[pair("a"), pair("b")],
        &[float("epsilon", 0.0)],
    ));
    assert_eq!(rounded(found).values, [0.0, 4.0, 0.0, 4.0, 0.0, 4.0]);
    let group = |opset: i64, count: i64| {
        let constant = |name: &str| {
            numbers(
                name,
                &[count],
                &(1..=count).map(|i| i as f32).collect::<Vec<_>>(),
            )
        };
        let attributes = [int("num_groups", 2), float("epsilon", 0.0)];
        let found = one(
            opset,
            "GroupNormalization",
            &[1, 4, 1, 1],
            &[constant("a"), constant("b")],
            &attributes,
        );
        rounded(run(found)).values
    };
    assert_eq!(group(18, 2), [0.0, 2.0, 0.0, 4.0]);
    assert_eq!(group(21, 4), [0.0, 4.0, 0.0, 8.0]);
    // The factor is divided by the size.
    let model = one(
        13,
        "LRN",
        &[1, 3, 1, 1],
        &[],
        &[int("size", 3), float("alpha", 3.0), float("beta", 1.0)],
    );
    assert_eq!(rounded(run(model)).values, [0.1667, 0.1333, 0.2143]);
    let normal = run(one(1 + 21, "LpNormalization", &[1, 2], &[], &[int("p", 1)]));
    assert_eq!(rounded(normal).values, [0.3333, 0.6667]);
    let normal = run(one(
        13,
        "MeanVarianceNormalization",
        &[1, 1, 1, 2],
        &[],
        &[],
    ));
    assert_eq!(rounded(normal).values, [-1.0, 1.0]);
}

#[test]
fn batch_norms_of_training_are_not_supported() {
    let vector = |name: &str| numbers(name, &[1], &[1.0]);
    let constants = ["a", "b", "c", "d"].map(vector);
    let found = one(
        15,
        "BatchNormalization",
        &[1, 1, 2, 2],
        &constants,
        &[int("training_mode", 1)],
    );
    assert_eq!(
        message(found),
        "unsupported node y (BatchNormalization, opset 15): batch normalization of training"
    );
    let model = one(15, "BatchNormalization", &[1, 1, 2, 2], &constants, &[]).expect("read");
    let kinds: Vec<_> = model.graph.nodes[0]
        .inputs
        .iter()
        .map(|&id| model.graph.value(id).parameter())
        .collect();
    assert_eq!(
        format!("{kinds:?}"),
        "[None, Some((\"a\", Trainable)), Some((\"b\", Trainable)), Some((\"c\", Fixed)), Some((\"d\", Fixed))]"
    );
}

#[test]
fn products() {
    let weight = numbers("w", &[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let bias = numbers("b", &[2], &[10.0, 20.0]);
    let attributes = [int("transB", 1)];
    let model = one(
        13,
        "Gemm",
        &[1, 3],
        &[weight.clone(), bias.clone()],
        &attributes,
    )
    .expect("read");
    assert_eq!(ops(&model.graph), [Op::Linear]);
    assert_eq!(model.graph.nodes[0].inputs.len(), 3);
    assert_eq!(run(Ok(model)).values, [24.0, 52.0]);
    let attributes = [int("transB", 1), float("alpha", 2.0), float("beta", 0.5)];
    let scaled = run(one(
        13,
        "Gemm",
        &[1, 3],
        &[weight.clone(), bias.clone()],
        &attributes,
    ));
    assert_eq!(scaled.values, [33.0, 74.0]);
    let number = numbers("b", &[], &[1.0]);
    let model = one(
        13,
        "Gemm",
        &[1, 3],
        &[weight.clone(), number],
        &[int("transB", 1)],
    )
    .expect("read");
    assert_eq!(ops(&model.graph), [Op::Linear]);
    assert_eq!(run(Ok(model)).values, [15.0, 33.0]);

    let vector = run(one(
        13,
        "MatMul",
        &[2, 3],
        &[numbers("w", &[3], &[1.0, 0.0, 1.0])],
        &[],
    ));
    assert_eq!(vector, Array::new(&[2], vec![4.0, 10.0]));
    let nodes = vec![
        node("Transpose", &["x"], &["t"], &[ints("perm", &[0, 2, 1])]),
        node("MatMul", &["x", "t"], &["y"], &[]),
    ];
    let square = read(&file(13, &[1, 2, 2], nodes, vec![])).expect("read");
    assert!(ops(&square.graph).contains(&Op::Matmul));
    assert_eq!(run(Ok(square)).values, [5.0, 11.0, 11.0, 25.0]);
}

#[test]
fn sums_after_products_are_biases() {
    let weight = numbers("w", &[2, 2], &[1.0, 0.0, 0.0, 1.0]);
    let bias = numbers("b", &[2], &[10.0, 20.0]);
    let nodes = vec![
        node("MatMul", &["x", "w"], &["p"], &[]),
        node("Add", &["b", "p"], &["y"], &[]),
    ];
    let model = read(&file(13, &[1, 1, 2], nodes, vec![weight, bias])).expect("read");
    assert_eq!(ops(&model.graph), [Op::Linear]);
    let graph = &model.graph;
    let bias = graph.value(graph.nodes[0].inputs[2]);
    assert_eq!(
        (&bias.shape[..], bias.parameter().map(|(name, _)| name)),
        (&[2][..], Some("b"))
    );
    assert_eq!(graph.nodes[0].name, "y");
    assert_eq!(run(Ok(model)).values, [11.0, 22.0]);
}

#[test]
fn functions() {
    let of = |operator: &str| ops(&one(20, operator, &[1, 2], &[], &[]).expect("read").graph);
    assert_eq!(
        of("LeakyRelu"),
        [Op::Function(Function::LeakyRelu { slope: 0.01 })]
    );
    assert_eq!(of("HardSwish"), [Op::Function(Function::HardSwish)]);
    assert_eq!(of("Gelu"), [Op::Function(Function::Gelu)]);
    assert_eq!(of("Log"), [Op::Function(Function::Ln)]);
    assert_eq!(of("Relu"), [Op::Relu]);
    let swish = one(24, "Swish", &[1, 2], &[], &[]).expect("read");
    assert_eq!(ops(&swish.graph), [Op::Function(Function::Silu)]);
    let old = one(
        6 + 1,
        "Clip",
        &[1, 2],
        &[],
        &[float("min", 0.0), float("max", 6.0)],
    )
    .expect("read");
    assert_eq!(ops(&old.graph), [Op::Clamp { min: 0.0, max: 6.0 }]);
    let bound = || [numbers("", &[], &[]), numbers("m", &[], &[1.0])];
    assert_eq!(
        run(one(13, "Clip", &[1, 2], &bound(), &[])).values,
        [1.0, 1.0]
    );
    let positive = one(13, "Clip", &[1, 2], &[numbers("m", &[], &[0.0])], &[]).expect("read");
    assert_eq!(ops(&positive.graph), [Op::Relu]);
    let slopes = numbers("s", &[2, 1, 1], &[0.5, 1.0]);
    let model = one(16, "PRelu", &[1, 2, 1, 1], &[slopes], &[]).expect("read");
    let slope = model.graph.value(model.graph.nodes[0].inputs[1]);
    assert_eq!(slope.shape, [1, 2, 1, 1]);
    let list = || [numbers("s", &[2], &[0.5, 1.0])];
    let model = one(7, "PRelu", &[1, 2, 3], &list(), &[]).expect("read");
    let slope = model.graph.value(model.graph.nodes[0].inputs[1]);
    assert_eq!(slope.shape, [1, 2, 1]);
    assert_eq!(
        message(one(7, "PRelu", &[1, 3, 3], &list(), &[])),
        "y (PRelu, opset 7): a slope of shape [2] for shape [1, 3, 3]"
    );
}

#[test]
fn softmax_of_old_files_joins_axes() {
    let probabilities = |opset| {
        rounded(run(one(
            opset,
            "Softmax",
            &[1, 1, 1, 2, 1],
            &[],
            &[int("axis", 2)],
        )))
        .values
    };
    assert_eq!(probabilities(13), [1.0, 1.0]);
    assert_eq!(probabilities(11), [0.2689, 0.7311]);
    let model = one(11, "Softmax", &[2, 3, 2, 2], &[], &[int("axis", 2)]).expect("read");
    assert_eq!(
        ops(&model.graph),
        [Op::Reshape, Op::Softmax { axis: 2 }, Op::Reshape]
    );
    let logarithms = rounded(run(one(13, "LogSoftmax", &[1, 2], &[], &[]))).values;
    assert_eq!(logarithms, [-1.3133, -0.3133]);
}

#[test]
fn arithmetic_with_numbers_and_tensors() {
    let number = || numbers("c", &[1], &[3.0]);
    let right = |operator: &str| run(one(13, operator, &[1, 2], &[number()], &[])).values;
    assert_eq!(right("Sub"), [-2.0, -1.0]);
    assert_eq!(right("Pow"), [1.0, 8.0]);
    assert_eq!(right("Min"), [1.0, 2.0]);
    assert_eq!(right("Mean"), [2.0, 2.5]);
    let left = |operator: &str| {
        let nodes = vec![node(operator, &["c", "x"], &["y"], &[])];
        run(read(&file(13, &[1, 2], nodes, vec![number()]))).values
    };
    assert_eq!(left("Sub"), [2.0, 1.0]);
    assert_eq!(left("Div"), [3.0, 1.5]);
    assert_eq!(left("Pow"), [3.0, 9.0]);
    // A number with more axes than the tensor adds axes.
    let wide = run(one(
        13,
        "Add",
        &[1, 2],
        &[numbers("c", &[1, 1, 1], &[3.0])],
        &[],
    ));
    assert_eq!(wide, Array::new(&[1, 1, 2], vec![4.0, 5.0]));
    let channel = one(
        13,
        "Mul",
        &[1, 2, 2, 2],
        &[numbers("c", &[2, 1, 1], &[1.0, 2.0])],
        &[],
    )
    .expect("read");
    let scale = channel.graph.value(channel.graph.nodes[0].inputs[1]);
    assert_eq!(scale.shape, [1, 2, 1, 1]);
    let squares = one(13, "Pow", &[1, 2], &[numbers("c", &[], &[2.0])], &[]).expect("read");
    assert_eq!(ops(&squares.graph), [Op::Binary(Arithmetic::Mul)]);
}

#[test]
fn reductions_have_axes_as_attribute_or_operand() {
    let attributes = [ints("axes", &[-1]), int("keepdims", 0)];
    let old = run(one(11, "ReduceSum", &[1, 2, 2], &[], &attributes));
    assert_eq!(old, Array::new(&[1, 2], vec![3.0, 7.0]));
    let new = run(one(18, "ReduceL2", &[1, 2, 1], &[list("a", &[1, 2])], &[]));
    assert_eq!(rounded(new), Array::new(&[1, 1, 1], vec![2.2361]));
    assert_eq!(
        run(one(18, "ReduceMax", &[1, 2, 2], &[], &[int("keepdims", 0)])),
        Array::new(&[], vec![4.0])
    );
    let noop = one(
        18,
        "ReduceMean",
        &[1, 2],
        &[],
        &[int("noop_with_empty_axes", 1)],
    )
    .expect("read");
    assert_eq!(ops(&noop.graph), []);
    let mean = one(
        13,
        "ReduceMean",
        &[1, 2, 3, 3],
        &[],
        &[ints("axes", &[2, 3])],
    )
    .expect("read");
    assert_eq!(ops(&mean.graph), [Op::AdaptiveAvgPool2d { output: [1, 1] }]);
}

#[test]
fn parts_of_tensors() {
    let slice = |lists: [&[i64]; 4]| {
        let names = ["starts", "ends", "axes", "steps"];
        let constants: Vec<_> = names
            .iter()
            .zip(lists)
            .map(|(name, elements)| list(name, elements))
            .collect();
        run(one(13, "Slice", &[1, 5], &constants, &[]))
    };
    assert_eq!(slice([&[1], &[1 << 60], &[1], &[2]]).values, [2.0, 4.0]);
    assert_eq!(
        slice([&[-1], &[i64::MIN], &[1], &[-2]]).values,
        [5.0, 3.0, 1.0]
    );
    assert_eq!(slice([&[-2], &[0], &[-1], &[-1]]).values, [4.0, 3.0, 2.0]);
    let old = run(one(
        9,
        "Slice",
        &[1, 5],
        &[],
        &[ints("starts", &[0, 3]), ints("ends", &[1, -1])],
    ));
    assert_eq!(old.values, [4.0]);
    let split = |opset: i64, constants: Vec<_>, attributes: &[_]| {
        let mut inputs = vec!["x"];
        inputs.extend(constants.first().map(|_| "s"));
        let nodes = vec![
            node("Split", &inputs, &["a", "b"], attributes),
            node("Identity", &["b"], &["y"], &[]),
        ];
        run(read(&file(opset, &[1, 5], nodes, constants))).values
    };
    assert_eq!(
        split(11, vec![], &[int("axis", 1), ints("split", &[3, 2])]),
        [4.0, 5.0]
    );
    assert_eq!(
        split(13, vec![list("s", &[4, 1])], &[int("axis", 1)]),
        [5.0]
    );
    assert_eq!(
        split(18, vec![], &[int("axis", 1), int("num_outputs", 2)]),
        [4.0, 5.0]
    );
    let joined = vec![
        node("Split", &["x", "s"], &["a", "b"], &[int("axis", 1)]),
        node("Concat", &["b", "a", "b"], &["y"], &[int("axis", 1)]),
    ];
    let joined = file(13, &[1, 2], joined, vec![list("s", &[2, 0])]);
    assert_eq!(run(read(&joined)).values, [1.0, 2.0]);
    let gathered = run(one(
        13,
        "Gather",
        &[1, 3],
        &[list("i", &[-1, 0])],
        &[int("axis", 1)],
    ));
    assert_eq!(gathered, Array::new(&[1, 2], vec![3.0, 1.0]));
    let entry = run(one(
        13,
        "Gather",
        &[1, 3],
        &[integer("i", 1)],
        &[int("axis", 1)],
    ));
    assert_eq!(entry, Array::new(&[1], vec![2.0]));
}

#[test]
fn padding_of_every_mode() {
    let pad = |mode: &str, pads: &[i64]| {
        run(one(
            19,
            "Pad",
            &[1, 3],
            &[list("p", pads)],
            &[text("mode", mode)],
        ))
        .values
    };
    assert_eq!(pad("constant", &[0, 1, 0, 0]), [0.0, 1.0, 2.0, 3.0]);
    assert_eq!(pad("constant", &[0, -1, 0, 1]), [2.0, 3.0, 0.0]);
    assert_eq!(pad("edge", &[0, 2, 0, 1]), [1.0, 1.0, 1.0, 2.0, 3.0, 3.0]);
    assert_eq!(
        pad("reflect", &[0, 2, 0, 1]),
        [3.0, 2.0, 1.0, 2.0, 3.0, 2.0]
    );
    assert_eq!(pad("wrap", &[0, 1, 0, 2]), [3.0, 1.0, 2.0, 3.0, 1.0, 2.0]);
    assert_eq!(pad("reflect", &[0, -1, 0, 1]), [2.0, 3.0, 2.0]);
    let old = run(one(
        10,
        "Pad",
        &[1, 2],
        &[],
        &[ints("pads", &[0, 1, 0, 0]), float("value", 7.0)],
    ));
    assert_eq!(old.values, [7.0, 1.0, 2.0]);
    let constants = [
        list("p", &[1, 0]),
        numbers("v", &[], &[4.0]),
        list("a", &[1]),
    ];
    assert_eq!(
        run(one(18, "Pad", &[1, 2], &constants, &[])).values,
        [4.0, 1.0, 2.0]
    );
}

#[test]
fn resized_axes() {
    let resize = |attributes: &[_], sizes: &[i64]| {
        let constants = [
            numbers("", &[], &[]),
            numbers("", &[], &[]),
            list("sizes", sizes),
        ];
        rounded(run(one(
            19,
            "Resize",
            &[1, 1, 1, 4],
            &constants,
            attributes,
        )))
        .values
    };
    assert_eq!(resize(&[], &[1, 1, 1, 2]), [1.0, 3.0]);
    assert_eq!(
        resize(&[text("nearest_mode", "ceil")], &[1, 1, 1, 2]),
        [2.0, 4.0]
    );
    let corners = [
        text("mode", "linear"),
        text("coordinate_transformation_mode", "align_corners"),
    ];
    assert_eq!(
        resize(&corners, &[1, 1, 1, 7]),
        [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]
    );
    assert_eq!(resize(&[text("mode", "linear")], &[1, 1, 1, 2]), [1.5, 3.5]);
    assert_eq!(
        resize(
            &[text("mode", "linear"), int("antialias", 1)],
            &[1, 1, 1, 2]
        ),
        [1.625, 3.375]
    );
    assert_eq!(
        resize(&[text("mode", "cubic")], &[1, 1, 1, 2]),
        [1.4063, 3.5938]
    );
    let upsample = one(
        9,
        "Upsample",
        &[1, 1, 1, 2],
        &[numbers("s", &[4], &[1.0, 1.0, 2.0, 2.0])],
        &[],
    );
    assert_eq!(
        run(upsample),
        Array::new(&[1, 1, 2, 4], [1.0, 1.0, 2.0, 2.0].repeat(2))
    );
    let upsample = one(
        7,
        "Upsample",
        &[1, 1, 1, 2],
        &[],
        &[
            floats("scales", &[1.0, 1.0, 1.0, 2.0]),
            text("mode", "linear"),
        ],
    );
    assert_eq!(run(upsample).values, [1.0, 1.5, 2.0, 2.0]);
}

#[test]
fn cropped_inputs_are_extrapolated() {
    let constants = [
        numbers("roi", &[2], &[-0.5, 1.0]),
        numbers("", &[], &[]),
        list("sizes", &[4]),
    ];
    let attributes = [
        text("mode", "linear"),
        text("coordinate_transformation_mode", "tf_crop_and_resize"),
        float("extrapolation_value", 10.0),
        ints("axes", &[1]),
    ];
    assert_eq!(
        run(one(18, "Resize", &[1, 3], &constants, &attributes)).values,
        [10.0, 1.0, 2.0, 3.0]
    );
}

#[test]
fn shapes_and_movements() {
    let reshaped = run(one(14, "Reshape", &[1, 2, 3], &[list("s", &[0, -1])], &[]));
    assert_eq!(reshaped.shape, [1, 6]);
    assert_eq!(run(one(13, "Flatten", &[2, 3, 4], &[], &[])).shape, [2, 12]);
    assert_eq!(
        run(one(13, "Flatten", &[2, 3, 4], &[], &[int("axis", 3)])).shape,
        [24, 1]
    );
    assert_eq!(run(one(13, "Squeeze", &[1, 3, 1], &[], &[])).shape, [3]);
    assert_eq!(
        run(one(11, "Squeeze", &[1, 3, 1], &[], &[ints("axes", &[-1])])).shape,
        [1, 3]
    );
    assert_eq!(
        run(one(13, "Unsqueeze", &[1, 3], &[list("a", &[-1, 0])], &[])).shape,
        [1, 1, 3, 1]
    );
    assert_eq!(
        run(one(13, "Transpose", &[1, 2, 3], &[], &[])).shape,
        [3, 2, 1]
    );
    let expanded = run(one(13, "Expand", &[2, 1], &[list("s", &[1, 1, 2])], &[]));
    assert_eq!(expanded, Array::new(&[1, 2, 2], vec![1.0, 1.0, 2.0, 2.0]));
    let tiled = run(one(13, "Tile", &[1, 2], &[list("n", &[2, 2])], &[]));
    assert_eq!(tiled.values, [1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]);
    let spread = run(one(
        13,
        "DepthToSpace",
        &[1, 4, 1, 1],
        &[],
        &[int("blocksize", 2)],
    ));
    assert_eq!(spread, Array::new(&[1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    let stacked = run(one(
        13,
        "SpaceToDepth",
        &[1, 1, 2, 2],
        &[],
        &[int("blocksize", 2)],
    ));
    assert_eq!(stacked, Array::new(&[1, 4, 1, 1], vec![1.0, 2.0, 3.0, 4.0]));
}

#[test]
fn computations_of_shapes_vanish() {
    // x.view(x.size(0), -1) of old torch.onnx files.
    let nodes = vec![
        node("Shape", &["x"], &["shape"], &[]),
        node(
            "Constant",
            &[],
            &["zero"],
            &[tensor("value", integer("", 0))],
        ),
        node("Gather", &["shape", "zero"], &["images"], &[]),
        node("Unsqueeze", &["images"], &["list"], &[ints("axes", &[0])]),
        node(
            "Constant",
            &[],
            &["rest"],
            &[tensor("value", list("", &[-1]))],
        ),
        node("Concat", &["list", "rest"], &["target"], &[int("axis", 0)]),
        node("Reshape", &["x", "target"], &["y"], &[]),
    ];
    let model = read(&file(11, &[0, 2, 3], nodes, vec![])).expect("read");
    assert_eq!(ops(&model.graph), [Op::Reshape]);
    assert!(model.graph.any_batch);
    // Half of the size, as tf2onnx computes it.
    let nodes = vec![
        node("Shape", &["x"], &["shape"], &[int("start", 2)]),
        node("Cast", &["shape"], &["float"], &[int("to", 1)]),
        node("Mul", &["float", "half"], &["halved"], &[]),
        node("Floor", &["halved"], &["whole"], &[]),
        node("Cast", &["whole"], &["hw"], &[int("to", 7)]),
        node("Concat", &["nc", "hw"], &["sizes"], &[int("axis", 0)]),
        node("Resize", &["x", "", "", "sizes"], &["y"], &[]),
    ];
    let constants = vec![numbers("half", &[], &[0.5]), list("nc", &[1, 1])];
    let model = read(&file(18, &[1, 1, 5, 4], nodes, constants)).expect("read");
    assert_eq!(run(Ok(model)).shape, [1, 1, 2, 2]);
}

#[test]
fn constants_in_every_form() {
    let add = |attributes: &[_]| {
        let nodes = vec![
            node("Constant", &[], &["c"], attributes),
            node("Add", &["x", "c"], &["y"], &[]),
        ];
        run(read(&file(13, &[1, 2], nodes, vec![]))).values
    };
    assert_eq!(add(&[float("value_float", 2.0)]), [3.0, 4.0]);
    assert_eq!(add(&[floats("value_floats", &[1.0, 5.0])]), [2.0, 7.0]);
    assert_eq!(
        add(&[tensor("value", numbers("", &[2], &[1.0, 5.0]))]),
        [2.0, 7.0]
    );
    let nodes = vec![
        node("Constant", &[], &["n"], &[ints("value_ints", &[1, 2])]),
        node(
            "ConstantOfShape",
            &["n"],
            &["c"],
            &[tensor("value", numbers("", &[1], &[4.0]))],
        ),
        node("Concat", &["x", "c"], &["y"], &[int("axis", 1)]),
    ];
    assert_eq!(
        run(read(&file(13, &[1, 2], nodes, vec![]))).values,
        [1.0, 2.0, 4.0, 4.0]
    );
}

#[test]
fn large_weights_of_one_number_take_no_memory() {
    let nodes = vec![
        node("ConstantOfShape", &["n"], &["w"], &[]),
        node("Gemm", &["x", "w"], &["y"], &[int("transB", 1)]),
    ];
    let constants = vec![list("n", &[1 << 13, 1 << 14])];
    let model = read(&file(13, &[1, 1 << 14], nodes, constants)).expect("read");
    let weight = model.graph.value(model.graph.nodes[0].inputs[1]);
    assert_eq!(weight.shape, [1 << 14, 1 << 13]);
    assert_eq!(weight.data, Some(ValueData::Fill(0.0)));
}

#[test]
fn pixels_are_cast_to_numbers() {
    let nodes = vec![
        node("Transpose", &["x"], &["t"], &[ints("perm", &[0, 3, 1, 2])]),
        node("Cast", &["t"], &["y"], &[int("to", 1)]),
    ];
    let mut pixels = file(13, &[0, 1, 2, 3], nodes, vec![]);
    let graph = pixels.graph.as_mut().expect("a graph");
    let mut input = info("x", &[0, -1, -2, 3]);
    let r#type = input
        .r#type
        .as_mut()
        .and_then(|r#type| r#type.tensor_type.as_mut());
    r#type.expect("a tensor").elem_type = 2;
    graph.input = vec![input];
    let options = crate::ReadOptions {
        size: Some([1, 2]),
        ..Default::default()
    };
    let model = crate::read_bytes(&prost::Message::encode_to_vec(&pixels), &options).expect("read");
    assert_eq!(run(Ok(model)).values, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let graph = pixels.graph.as_mut().expect("a graph");
    graph.node[1] = node("Add", &["t", "t"], &["y"], &[]);
    let error = crate::read_bytes(&prost::Message::encode_to_vec(&pixels), &options);
    assert_eq!(
        message(error),
        "unsupported node y (Add, opset 13): arithmetic on integers that depend on the input"
    );
}
