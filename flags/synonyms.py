"""What other trainers of StyleGANs call our options, so that whoever comes from them finds the way.

The names are those of command lines in papers, manuals and forums: of StyleGAN2, StyleGAN2-ADA and StyleGAN3, of widely
used forks, and of other implementations (in PyTorch and TensorFlow). Keys are spelled with underscores.
"""

from __future__ import annotations

import re
from collections.abc import Container

#: Names elsewhere -> our options, by key, the likeliest first. A tool's own options alone are suggested.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    key: tuple(options.split())
    for names, options in (
        ("total_kimg max_kimg train_kimg num_kimg n_kimg total_k_img k_img kimgs duration train_duration", "kimg"),
        ("total_img total_images n_total_image num_images n_images", "kimg seeds"),
        ("num_train_steps train_steps max_steps max_step num_steps n_steps steps total_steps", "kimg"),
        ("iter iters iteration iterations max_iter num_iters num_iterations n_iter total_iters", "kimg"),
        ("epoch epochs n_epoch n_epochs num_epochs max_epochs total_epochs", "kimg"),
        ("result_dir results_dir result results run_dir output_dir output output_path out_dir out", "outdir"),
        ("save_dir save_path log_dir logdir logs model_dir models_dir model_base_dir exp_dir workdir", "outdir"),
        ("data_dir dataset dataset_dir dataset_path data_path data_root dataroot datadir train_data", "data"),
        ("images images_dir image_dir image_folder img_dir img_path path source tfrecord_dir lmdb lmdb_path", "data"),
        ("config config_id conf base_config arch architecture model_type", "cfg"),
        ("model", "cfg network"),
        ("num_gpus n_gpus n_gpu ngpus ngpu gpu num_gpu gpu_count multi_gpus world_size nproc_per_node", "gpus"),
        ("gpu_ids gpu_id device devices cuda", "gpus"),
        ("minibatch minibatch_size batch_size batchsize bs total_batch total_batch_size mb_size", "batch"),
        (
            "minibatch_gpu minibatch_gpu_base minibatch_per_gpu batch_size_per_gpu batch_per_gpu per_gpu_batch",
            "batch_gpu",
        ),
        ("mb_per_gpu batch_size_per_replica micro_batch micro_batch_size gpu_batch gpu_batch_size", "batch_gpu"),
        ("gradient_accumulate_every gradient_accumulation_steps accumulate grad_accum", "batch_gpu"),
        ("r1_gamma r1 r1_weight r1_reg gp_weight reg_gamma r1gamma gamma0", "gamma"),
        (
            "resume_from resume_pkl resume_network resume_ckpt resume_path resume_run_id resume_kimg resume_tick",
            "resume",
        ),
        (
            "checkpoint checkpoint_path ckpt ckpt_path ckpt_dir load load_from load_path restore pretrained",
            "resume network",
        ),
        ("weights initial_weights init_from init_weights start_from finetune transfer transfer_from", "resume network"),
        ("continue continue_from continue_train continue_training load_latest auto_resume", "resume"),
        ("mirror_augment mirror_aug mirrorx mirror_x x_mirror xflip x_flip hflip flip horizontal_flip", "mirror"),
        ("random_flip random_horizontal_flip lr_flip", "mirror"),
        ("mirror_y y_mirror mirroraugment_v yflip y_flip vflip vertical_flip", "mirrory"),
        ("augment augmentation augmentations augs augment_mode ada use_ada adaptive_augment", "aug"),
        ("augment_p aug_p aug_prob augment_prob augprob", "p"),
        ("aug_pipe augment_pipe aug_types augment_types augs_pipe bgc", "augpipe"),
        ("ada_target aug_target augment_target ada_rt", "target"),
        ("ada_length ada_speed ada_ramp ada_kimgs nkimg", "ada_kimg"),
        ("ada_every augment_interval", "ada_interval"),
        ("diff_augment diff_aug diffaugment policy da_policy", "diffaug"),
        ("freeze_d freezed_layers freeze_layers freeze_discriminator num_frozen", "freezed freeze"),
        ("freeze_g freeze_generator freeze_mapping freeze_synthesis", "freeze"),
        ("lr learning_rate lrate base_lr", "glr dlr"),
        ("g_lr lr_g gen_lr lrg generator_lr learning_rate_g g_lrate g_learning_rate", "glr"),
        ("d_lr lr_d disc_lr lrd discriminator_lr learning_rate_d d_lrate d_learning_rate ttur_mult", "dlr"),
        ("channel_base fmap_base channels_base network_capacity", "cbase"),
        ("channel_max fmap_max max_channels channels_max max_filters fmaps_max fmap_max_count", "cmax"),
        ("fmap channels channels_per_resolution channel_list channels_dict channels_map nf", "fmaps"),
        ("channel_multiplier feature_maps ngf ndf num_features", "cbase cmax"),
        ("mapping_layers map_layers num_mapping_layers n_mlp mapping_depth mapping_fmaps style_depth", "map_depth"),
        ("mapping_lr_multiplier mapping_lr mapping_lr_mul lr_mlp lr_mul mlp_lr lr_multiplier", "mapping_lrmul"),
        ("mbstd mbstd_group_size minibatch_std_group minibatch_std_group_size mbstd_size group_size", "mbstd_group"),
        ("latent latent_dim latent_size nz zdim z_size dlatent z", "z_dim"),
        ("dlatent_size style_dim wdim w_size w_latent dlatent_dim", "w_dim"),
        ("noconst no_constant first_const use_const learned_const const_input const_start", "no_const"),
        ("mixing mixing_prob style_mixing mixed_prob style_mix_prob mixing_probability", "style_mixing_prob"),
        ("path_regularize pl_reg path_length_weight path_weight ppl_weight pl_lambda plweight", "pl_weight"),
        ("g_reg_every g_reg g_lazy_interval greg_interval", "g_reg_interval"),
        ("d_reg_every d_reg d_lazy_interval dreg_interval lazy_interval", "d_reg_interval"),
        ("blur_init blur_fade blur_init_sigma blurfade blur_kimg", "blur_fade_kimg"),
        ("ema ema_beta ema_decay ema_halflife ema_half_life smoothing smoothing_kimg g_smoothing_kimg", "ema_kimg"),
        ("ema_ramp ema_warmup ema_ramp_up", "ema_rampup"),
        ("conditional cond_labels labels use_labels use_label label class_conditional conditioning", "cond"),
        ("class cls classes num_classes n_classes c_dim label_dim label_size class_cond", "cond"),
        ("num_workers n_workers worker nworkers num_threads_data data_workers loader_workers", "workers"),
        ("description name run_name exp_name experiment experiment_name run_desc suffix tag", "desc"),
        ("metric eval eval_metrics calculate_fid fid calc_metrics metrics_list", "metrics"),
        ("tick_kimg kimg_per_tick ticks log_every print_every report_every log_interval", "tick"),
        ("network_snapshot_ticks snapshot_ticks snapshot snapshots snap_ticks save_every", "snap"),
        ("save_freq save_interval checkpoint_every save_ticks network_snap ckpt_every", "snap"),
        ("image_snapshot_ticks img_snap img_snapshot_ticks image_every sample_every evaluate_every", "image_snap"),
        ("sample_interval preview_every img_snap_ticks image_snapshot", "image_snap"),
        ("grid grid_size sample_size n_sample num_image_tiles gridsize sample_grid_size", "sample_grid"),
        ("keep_checkpoints max_checkpoints max_to_keep keep_snapshots num_checkpoints", "keep"),
        ("random_seed rand_seed rng_seed manual_seed", "seed seeds"),
        ("full_precision float32 no_fp16 disable_fp16", "fp32"),
        ("fp16 amp mixed_precision half bf16 bfloat16 float16 mixed half_precision dtype use_fp16", "precision"),
        ("fp16_res num_fp16 n_fp16_res fp16_layers num_fp16_layers", "num_fp16_res"),
        ("cudnn_benchmark cudnn_bench benchmark no_benchmark nobenchmark", "nobench"),
        ("impl custom_ops custom_op kernels ops_impl no_custom_ops", "ops"),
        ("dry dryrun print_only noop just_print", "dry_run"),
        ("verbose traceback", "debug"),
        ("num_nodes nnodes nodes hosts workers_list", "workers_hosts"),
        ("node_rank rank host_index local_rank task_index", "worker_index"),
        # Tools for trained networks.
        ("network_pkl pkl net nets g_pkl network_path networks snapshot_pkl gan_pkl ckpt_pkl", "network"),
        ("model_path generator_path model_file g_ema", "network"),
        ("num_samples n_samples samples count num nsamples pics sample_num random_seeds seed", "seeds"),
        ("truncation truncation_psi trunc_psi psi truncate", "trunc"),
        ("truncation_cutoff trunc_cut cutoff truncation_layers", "trunc_cutoff"),
        ("class_idx class_id class_index category class_label target_class cls_idx", "class"),
        ("noise noisemode noise_type randomize_noise", "noise_mode"),
        ("translation shift offset", "translate"),
        ("rotation angle degrees", "rotate"),
        ("fmt export_format to type", "format"),
    )
    for key in names.split()
}

#: Names elsewhere of what is not to be had by an option, and what there is instead.
_INSTEAD: dict[str, str] = {
    key: text
    for names, text in (
        ("subset max_images num_train_images", "train on a folder or zip with fewer images"),
        (
            "res resolution image_size img_size size train_res img_resolution",
            "the images of --data decide the resolution",
        ),
        ("crop center_crop transform resize square", "prepare the images of --data so before"),
        ("nhwc channels_last nchw data_format", "the layout is chosen by itself"),
        ("allow_tf32 tf32 no_tf32", "TensorFlow decides; NVIDIA_TF32_OVERRIDE=0 in the environment turns it off"),
        ("cmethod dcap initstrength init_strength cond_mode use_raw usera", "there is no counterpart"),
        ("metricdata metric_data val_data", "metrics use the images of --data"),
        ("nimg start_kimg resume_nimg initial_kimg", "--resume knows how far a run was"),
        ("initstart resume_augment augment_p_start init_p", "--resume goes on with the run's own probability"),
        (
            "stem superres up_factor head_layers path_stem syn_layers cls_weight restart_every",
            "StyleGAN-XL is not built",
        ),
        ("new fresh", "a run is new unless --resume says otherwise"),
        ("attn_layers fq_layers fq_dict_size lpips topk top_k_training", "there is no counterpart"),
        ("submit_target cloud wandb use_wandb tensorboard use_tensorboard", "TensorBoard's events are always written"),
    )
    for key in names.split()
}


_OTHER_UNITS = re.compile("iter|step|epoch")


def known_elsewhere(key: str, own: Container[str]) -> tuple[tuple[str, ...], str]:
    """What an option of another trainer is here.

    Args:
        key: its name, with underscores, in lower case.
        own: keys of the options that there are.

    Returns:
        Keys of our options that do the same, and a remark on them, or on what there is instead; either may be empty.
    """
    keys = tuple(option for option in _SYNONYMS.get(key, ()) if option in own)
    if keys == ("kimg",) and _OTHER_UNITS.search(key):
        return keys, "in thousands of real images, an iteration being --batch of them"
    return keys, "" if keys else _INSTEAD.get(key, "")
