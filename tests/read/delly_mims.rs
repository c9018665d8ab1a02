//! Real calls and a real model, where they are at hand.

use atomscope::cohort::Label;
use atomscope::read::{inspect, read_cohort, read_model};
use atomscope::rows::Rows;

#[test]
#[ignore = "needs real calls: ATOMSCOPE_DELLY_MIMS=FOLDER"]
fn real_files_are_read() {
    let folder = crate::common::delly_mims();
    let path = folder.join("data/processed/sae_sv_embeddings.pt");
    let cohort = read_cohort(&path).unwrap();
    assert_eq!((cohort.rows.count(), cohort.rows.dim()), (4475, 768));
    let calls = &cohort.calls;
    let types = calls.svtype.counts(0..calls.len());
    assert_eq!(types, [(Some("DEL"), 4347), (Some("INS"), 128)]);
    let tp = (0..calls.len())
        .filter(|&row| calls.label(row) == Label::Tp)
        .count();
    assert_eq!((tp, calls.len() - tp), (3144, 1331));
    let model = read_model(&folder.join("data/models/BEST_MODEL.json")).unwrap();
    let sae = model.sae;
    assert_eq!(
        (sae.input_dim(), sae.feature_dim(), sae.top_k().unwrap()),
        (768, 3072, 32)
    );
    assert_eq!(inspect(&path).unwrap().calls.unwrap().calls, 4475);
}
