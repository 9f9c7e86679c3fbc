use receptive_googlenet::GoogLeNetConfig;
use receptive_layers::network::NetworkConfig;

use super::*;
use crate::error::CliError;

#[test]
fn load_whole_keeps_the_auxiliary_heads_of_the_weights() {
    let device = crate::device::open(None).expect("a device");
    let model = model("googlenet").expect("listed");
    let config = GoogLeNetConfig::variants().swap_remove(0).config;
    let tensors = |auxiliary| {
        let network = config.clone().with_auxiliary(auxiliary).init(&device);
        let weights = receptive_layers::weights::state_dict(&network);
        let with_heads = model.load_whole(&weights, "test", &device).expect("fits");
        let without_heads = model.load(&weights, "test", &device).expect("fits");
        [
            weights.len(),
            with_heads.state_dict().len(),
            without_heads.state_dict().len(),
        ]
    };
    let [with, whole, bare] = tensors(true);
    let [without, plain, _] = tensors(false);
    assert_eq!([whole, bare, plain], [with, without, without]);
    assert!(with > without);
}

#[test]
fn errors_suggest_similar_names() {
    for (requested, wanted) in [
        ("resnet5O", "resnet50"),
        ("mobilenet_v2", "mobilenet-v2"),
        ("VGG16", "vgg16"),
    ] {
        match model(requested) {
            Err(CliError::UnknownModel { near, .. }) => {
                assert!(near.contains(&wanted), "{requested}: {near:?}");
            }
            _ => panic!("{requested} is no model"),
        }
    }
}
