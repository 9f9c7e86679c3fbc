//! Property tests of the transforms over random fields, images and seeds.

use proptest::prelude::*;

use receptive_layers::image::RgbImage;
use receptive_layers::preprocessing::{Interpolation, Preprocessing};

use super::*;
use crate::random::{Purpose, stream};

fn random(seed: u64) -> Random {
    stream(seed, Purpose::Augmentation, [0, 0])
}

fn arbitrary_image() -> impl Strategy<Value = Image> {
    (
        1_usize..24,
        1_usize..24,
        prop_oneof![Just(1_usize), Just(3)],
    )
        .prop_flat_map(|(width, height, channels)| {
            prop::collection::vec(any::<u8>(), width * height * channels).prop_map(move |samples| {
                Image {
                    width,
                    height,
                    channels,
                    samples,
                }
            })
        })
}

fn transforms() -> impl Strategy<Value = Transform> {
    let interpolation = receptive_layers::preprocessing::Interpolation::Bilinear;
    let area = (0.05_f64..0.5, 0.5_f64..1.0).prop_map(|(low, high)| [low, high]);
    let ratio = (0.2_f64..1.0, 1.0_f64..4.0).prop_map(|(low, high)| [low, high]);
    prop_oneof![
        (1_usize..32).prop_map(move |shorter| Transform::Resize(Resize {
            shorter,
            interpolation
        })),
        (1_usize..16, 0_usize..16).prop_map(move |(least, more)| {
            Transform::RandomResize(RandomResize {
                shorter: [least, least + more],
                interpolation,
            })
        }),
        (1_usize..32).prop_map(|size| Transform::CenterCrop(CenterCrop { size })),
        (0_usize..8).prop_map(|pixels| Transform::Pad(Pad { pixels })),
        (1_usize..32, 0_usize..8)
            .prop_map(|(size, padding)| Transform::RandomCrop(RandomCrop { size, padding })),
        (1_usize..32, area.clone(), ratio.clone()).prop_map(move |(size, area, ratio)| {
            Transform::RandomResizedCrop(RandomResizedCrop {
                size,
                area,
                ratio,
                interpolation,
            })
        }),
        (0.0_f64..=1.0).prop_map(|probability| Transform::Flip(Flip { probability })),
        (0.0_f64..=180.0).prop_map(|degrees| Transform::Rotation(Rotation { degrees })),
        (0.0_f64..2.0, 0.0_f64..2.0, 0.0_f64..2.0, 0.0_f64..0.5).prop_map(
            |(brightness, contrast, saturation, hue)| {
                Transform::ColorJitter(ColorJitter {
                    brightness,
                    contrast,
                    saturation,
                    hue,
                })
            }
        ),
        (0.0_f64..1.0).prop_map(|deviation| Transform::Lighting(Lighting { deviation })),
        (0.0_f64..=1.0, area, ratio).prop_map(|(probability, area, ratio)| {
            Transform::RandomErasing(RandomErasing {
                probability,
                area,
                ratio,
            })
        }),
    ]
}

/// Width and height of the output, if they do not depend on random numbers or on the aspect ratio.
fn expected_size(transform: &Transform, image: &Image) -> Option<(usize, usize)> {
    match transform {
        Transform::CenterCrop(CenterCrop { size })
        | Transform::RandomCrop(RandomCrop { size, .. })
        | Transform::RandomResizedCrop(RandomResizedCrop { size, .. }) => Some((*size, *size)),
        Transform::Pad(Pad { pixels }) => {
            Some((image.width + 2 * pixels, image.height + 2 * pixels))
        }
        Transform::Resize(_) | Transform::RandomResize(_) => None,
        _ => Some((image.width, image.height)),
    }
}

proptest! {
    #[test]
    fn a_transform_is_a_function_of_image_and_seed(
        transform in transforms(), image in arbitrary_image(), seed in any::<u64>(),
    ) {
        prop_assert!(transform.validate().is_ok(), "{transform:?}");
        let result = transform.apply(image.clone(), &mut random(seed));
        prop_assert_eq!(&transform.apply(image.clone(), &mut random(seed)), &result);
        let samples = result.width * result.height * result.channels;
        prop_assert_eq!(result.samples.len(), samples);
        prop_assert_eq!(result.channels, image.channels);
        if let Some(size) = expected_size(&transform, &image) {
            prop_assert_eq!((result.width, result.height), size);
        }
    }

    /// The evaluation transforms of a recipe prepare an image as `layers::image` does.
    #[test]
    fn resize_and_centre_crop_prepare_images_as_the_classifier_does(
        (width, height) in prop_oneof![
            (1_u32..48, 1_u32..48),
            // Longer than sixteen times the shorter side.
            (1_u32..4, 1_u32..200),
            (1_u32..200, 1_u32..4),
        ],
        shorter in 1_usize..24,
        size in 1_usize..32,
    ) {
        let photo = RgbImage::from_fn(width, height, |x, y| {
            [x * 37 + y * 91, x * y, x ^ (y * 13)].map(|sample| sample as u8).into()
        });
        let interpolation = Interpolation::Bilinear;
        let image = Image {
            width: width as usize,
            height: height as usize,
            channels: 3,
            samples: photo.as_raw().clone(),
        };
        let steps = [
            Transform::Resize(Resize { shorter, interpolation }),
            Transform::CenterCrop(CenterCrop { size }),
        ];
        let image = apply_all(&steps, image, &mut random(0));
        let planes = (0..3).flat_map(|channel| image.samples.iter().skip(channel).step_by(3));
        let found: Vec<f32> = planes.map(|&sample| f32::from(sample) / 255.0).collect();
        let preprocessing = Preprocessing {
            resize: shorter,
            crop: size,
            interpolation,
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        prop_assert_eq!(found, receptive_layers::image::preprocess(&photo, &preprocessing));
    }

    #[test]
    fn transforms_round_trip_through_toml(transform in transforms()) {
        let text = toml::to_string(&transform).expect("written");
        let read: Transform = toml::from_str(&text).expect("read");
        prop_assert_eq!(read, transform);
    }

    #[test]
    fn disabled_transforms_change_nothing(image in arbitrary_image(), seed in any::<u64>()) {
        for disabled in [
            Transform::Flip(Flip { probability: 0.0 }),
            Transform::Rotation(Rotation { degrees: 0.0 }),
            Transform::Pad(Pad { pixels: 0 }),
            Transform::ColorJitter(ColorJitter::default()),
            Transform::Lighting(Lighting { deviation: 0.0 }),
            Transform::RandomErasing(RandomErasing {
                probability: 0.0,
                area: [0.1, 0.2],
                ratio: [1.0, 1.0],
            }),
        ] {
            prop_assert_eq!(&disabled.apply(image.clone(), &mut random(seed)), &image);
        }
    }

    #[test]
    fn flipping_twice_changes_nothing(image in arbitrary_image(), seed in any::<u64>()) {
        let flip = Transform::Flip(Flip { probability: 1.0 });
        let once = flip.apply(image.clone(), &mut random(seed));
        let last = image.width - 1;
        for row in 0..image.height {
            prop_assert_eq!(once.pixel(0, row), image.pixel(last, row));
        }
        prop_assert_eq!(flip.apply(once, &mut random(seed)), image);
    }

    #[test]
    fn a_crop_without_padding_is_a_rectangle_of_the_image(
        image in arbitrary_image(), fraction in 0.0_f64..1.0, seed in any::<u64>(),
    ) {
        let shorter = image.width.min(image.height);
        let size = 1 + (fraction * (shorter - 1) as f64) as usize;
        let crop = RandomCrop { size, padding: 0 }.apply(&image, &mut random(seed));
        let positions = (0..=image.height - size)
            .flat_map(|top| (0..=image.width - size).map(move |left| (left, top)));
        let found = positions
            .map(|(left, top)| image.crop(left as isize, top as isize, size, size))
            .any(|rectangle| rectangle == crop);
        prop_assert!(found);
    }

    #[test]
    fn mixed_images_and_targets_have_the_same_weights(
        alpha in 0.1_f64..4.0, batch in 1_usize..7, cut in any::<bool>(), seed in any::<u64>(),
    ) {
        let shape = [batch, 2, 6, 5];
        let before: Vec<f32> = (0..shape.iter().product()).map(|i| i as f32).collect();
        let mut images = before.clone();
        let mut targets = vec![0.0; batch * batch];
        (0..batch).for_each(|i| targets[i * batch + i] = 1.0);
        let mix = if cut { Mix::Cutmix { alpha } } else { Mix::Mixup { alpha } };
        mix.apply(&mut images, shape, &mut targets, &mut random(seed));

        let length = images.len() / batch;
        for (i, target) in targets.chunks_exact(batch).enumerate() {
            let partner = batch - 1 - i;
            let (own, other) = (target[i], if partner == i { 0.0 } else { target[partner] });
            prop_assert!((own + other - 1.0).abs() < 1e-6 && own >= 0.0 && other >= 0.0);
            let pixels = &images[i * length..(i + 1) * length];
            let mine = &before[i * length..(i + 1) * length];
            let theirs = &before[partner * length..(partner + 1) * length];
            if cut {
                // Each pixel is from one of the two images. The fraction of the partner's pixels is
                // the weight of the partner's target.
                let replaced = (0..length).filter(|&j| pixels[j] != mine[j]).count();
                prop_assert!((0..length).all(|j| pixels[j] == mine[j] || pixels[j] == theirs[j]));
                prop_assert!((replaced as f32 / length as f32 - other).abs() < 1e-5);
            } else {
                for j in 0..length {
                    let expected = own * mine[j] + other * theirs[j];
                    prop_assert!((pixels[j] - expected).abs() < 1e-3 * (1.0 + expected.abs()));
                }
            }
        }
    }
}

#[test]
fn lighting_adds_the_same_colour_to_every_pixel() {
    let image = Image::filled(5, 4, &[100, 110, 120]);
    let lit = Lighting { deviation: 0.5 }.apply(image.clone(), &mut random(3));
    assert_ne!(lit, image);
    assert!((0..20).all(|i| lit.pixel(i % 5, i / 5) == lit.pixel(0, 0)));
}

#[test]
fn errors_name_the_field_that_is_out_of_range() {
    for (text, field) in [
        ("kind = 'flip'\nprobability = 2", "probability"),
        ("kind = 'rotation'\ndegrees = 200", "degrees"),
        ("kind = 'random_crop'\nsize = 0", "size"),
        ("kind = 'random_resize'\nshorter = [9, 8]", "shorter"),
        (
            "kind = 'random_resized_crop'\nsize = 8\narea = [0.5, 2]",
            "area",
        ),
        ("kind = 'color_jitter'\nhue = 0.6", "hue"),
        ("kind = 'lighting'\ndeviation = -1", "deviation"),
        ("kind = 'random_erasing'\nratio = [2, 1]", "ratio"),
    ] {
        let transform: Transform = toml::from_str(text).expect(text);
        assert_eq!(transform.validate().expect_err(text).field, field);
    }
    let unknown = toml::from_str::<Transform>("kind = 'flip'\nodds = 0.5").expect_err("unknown");
    assert!(unknown.message().contains("probability"), "{unknown}");
}
