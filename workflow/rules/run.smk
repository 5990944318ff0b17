# What happens around a run: before its first job, and after one that failed.

LOCKS = []
LIVE = []
if slurm := sys.modules.get("snakemake_executor_plugin_slurm"):
    keep_unreported_jobs(slurm.Executor)


# A workflow that uses this one as a module keeps Snakemake's own lines, as do --verbose and -n.
if workflow.is_main_process and not (
    IS_MODULE or workflow.output_settings.verbose or workflow.output_settings.dryrun
):
    quiet_terminal(logger)


def end_run(log):
    """End live pages, and say where Snakemake's log is.

    After `--touch` Snakemake believes that all views were made with the settings at hand.
    """
    for live in LIVE:
        live.end()
    print("Snakemake's log:", *log, file=sys.stderr)
    if workflow.touch:
        for study in STUDIES.values():
            for file in study.result_files():
                workflow.persistence.cleanup_metadata(IOFile(str(HOME / file)))


onstart:
    planned = list(workflow.dag.needrun_jobs())
    devices = {name: study.design["device"] for name, study in STUDIES.items()}
    try:
        # Held until this process ends, also by SIGKILL.
        LOCKS.append(lock_results(HOME / RESULTS))
        claim_folders(STUDIES, workflow.configfiles, HOME / RESULTS)
        clamp_future_mtimes(file for file in (HOME / RESULTS).rglob("*") if file.is_file())
        check_writable(file for job in planned for file in (*job.output, *job.log))
        # Takes seconds, and saves a night that ends at the last data set's address.
        if workflow.local_exec:
            check_devices(devices)
        if said := check_addresses(config, PUBLISHED, MIRROR):
            print(said, file=sys.stderr)
            # What cannot be fetched stops only what needs it.
            workflow.scheduler.keepgoing = True
        if workflow.local_exec and set(devices.values()) != {"cpu"}:
            check_gpu_slots(SLOTS, config["cells_per_gpu"])
            if not usable_devices():
                # Only here: it loads PyTorch.
                from sonotune.plan.words import no_gpu_warning

                cores = workflow.global_resources["_cores"].value
                if said := no_gpu_warning(config, RESULTS, cores):
                    print(said, file=sys.stderr)
    except SonotuneError as error:
        fail(error)
    for job in planned:
        if job.rule.name.endswith("finetune"):
            cell = "/".join(Path(job.output[0]).parts[-5:-1])
            config["cells_planned"][job.wildcards.study]["again"].append(cell)
    forward_signals()
    LIVE.append(Live(HOME / RESULTS, config["cells_planned"]))
    LIVE[0].start()


onsuccess:
    end_run(log)
    answers = [HOME / study.home / "index.html" for study in STUDIES.values()]
    print(answer_summary(answers), file=sys.stderr)


onerror:
    end_run(log)
    failed = [
        (f"{job.rule.name}: {job.message}", job.log[0]) for job in workflow.scheduler.failed
    ]
    print(failure_summary(failed, len(workflow.scheduler.remaining_jobs)), file=sys.stderr)
