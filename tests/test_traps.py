"""Where each trap that caught others, and each contract, has its test."""

import ast
from pathlib import Path

import pytest

HERE = Path(__file__).parent

TRAPS = {
    "constant features score well because ties fall in label order": [
        "test_protocol.test_constant_features_score_exactly_chance",
        "test_sanity.test_ties_in_the_order_of_labels_are_caught",
    ],
    "the query is found in the gallery": [
        "test_protocol.test_query_in_the_gallery_is_excluded_once",
    ],
    "average precision is divided by hits": [
        "test_protocol.test_average_precision_divides_by_relevant_images_not_by_hits",
        "test_independent.test_without_ties_every_query_agrees",
    ],
    "a lone query counts as 0, or is dropped but still divided by": [
        "test_protocol.test_lone_queries_are_left_out_of_every_mean",
    ],
    "a distractor is treated as a class or as junk": [
        "test_protocol.test_distractors_are_negatives",
        "test_protocol.test_junk_is_removed_before_ranks_are_counted",
    ],
    "results are keyed by position or by the wrong list of files": [
        "test_answers.test_challenge_answers_are_keyed_by_query",
        "test_layout.test_order_is_by_id_and_ids_are_posix_paths",
    ],
    "something is fitted on gallery or query": [
        "test_run.test_fitting_on_anything_but_training_images_raises",
        "test_run.test_an_extractor_that_learns_from_pictures_sees_training_only",
        "test_local_rows.test_words_are_learned_from_training_images_alone",
        "test_deep_rows.test_only_training_images_are_trained_on",
    ],
    "preprocessing differs between training and extraction": [
        "test_cache.test_parameters_and_preprocessing_are_part_of_the_identity",
        "test_finetuning.test_features_are_the_pooled_or_the_flattened_last_map",
    ],
    "the weaker feature drowns the better in a raw concatenation": [
        "test_fusion_methods.test_raw_concatenation_drowns_the_better_and_learned_weights_do_not",
        "test_combinations.test_weights_are_learned_on_training_images_only",
    ],
    "k is larger than the gallery": [
        "test_protocol.test_k_larger_than_the_gallery",
        "test_knn.test_k_larger_than_the_gallery_and_empty_queries",
    ],
    "odd pictures crash or are dropped": [
        "test_reading.test_formats_decode_to_upright_rgb",
        "test_reading.test_lying_files_say_why",
        "test_extractors.test_every_entry_conforms",
        "test_layout.test_every_file_counts_or_is_a_problem",
        "test_layout.test_odd_names_survive",
        "test_layout.test_class_with_one_image",
    ],
    "the cache is stale after data, code or parameters change": [
        "test_cache.test_a_declared_version_is_the_key_and_the_code_is_not",
        "test_cache.test_somebodys_own_extractor_is_keyed_by_its_code_and_what_lies_beside_it",
        "test_run.test_changed_parameters_are_another_extractor",
        "test_run.test_records_of_other_data_do_not_enter_the_table",
        "test_local_rows.test_other_training_images_make_other_words",
    ],
    "a crash half-way loses or doubles work": [
        "test_run.test_crash_half_way_keeps_what_is_finished",
        "test_deep_rows.test_a_stopped_training_goes_on",
        "test_cache.test_nothing_is_left_of_a_write_that_failed",
    ],
    "the order of the gallery decides": [
        "test_protocol.test_permuting_the_gallery_changes_no_metric",
        "test_split.test_order_has_no_influence_and_the_seed_has",
    ],
    "a row that cannot run vanishes": [
        "test_deep_rows.test_rows_without_weights_are_skipped_with_the_remedy",
        "test_run.test_a_failing_extractor_is_a_row_and_the_others_go_on",
    ],
    "results depend on the number of workers": [
        "test_run.test_two_workers_give_the_bytes_of_one",
        "test_local_rows.test_workers_change_no_byte",
    ],
}


@pytest.mark.parametrize("trap", TRAPS)
def test_the_trap_has_its_test(trap):
    for place in TRAPS[trap]:
        module, name = place.split(".")
        tree = ast.parse((HERE / f"{module}.py").read_text(encoding="utf-8"))
        found = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        assert name in found, place
