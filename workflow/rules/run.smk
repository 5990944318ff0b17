# What happens around a run: before its first job, and after one that failed.
LOCKS = []
LIVE = []
if slurm := sys.modules.get("snakemake_executor_plugin_slurm"):
    keep_in_view(slurm.Executor)


onstart:
    # A workflow that uses this one as a module keeps Snakemake's own lines, as does --verbose.
    if not IS_MODULE and not workflow.output_settings.verbose:
        be_brief(logger)
    try:
        # Held until this process ends, also by SIGKILL.
        LOCKS.append(lock_results(HOME / RESULTS))
        not_in_the_future(file for file in (HOME / RESULTS).rglob("*") if file.is_file())
        # Takes seconds, and saves a night that ends at the last data set's address.
        check_addresses(PUBLISHED, MIRROR)
        if workflow.local_exec:
            check_devices({study: STUDIES[study]["device"] for study in STUDIES})
        if workflow.local_exec and any(map(gpus, STUDIES)):
            tell_slots(SLOTS, config["cells_per_gpu"])
    except SonotuneError as error:
        fail(error)
    LIVE.append(Live(HOME / RESULTS, config["cells_planned"]))
    LIVE[0].start()


onsuccess:
    for live in LIVE:
        live.end()
    print(
        tell_answers([HOME / RESULTS / study / "index.html" for study in STUDIES]),
        file=sys.stderr,
    )


onerror:
    for live in LIVE:
        live.end()
    print(
        tell_failures(
            [
                (f"{job.rule.name}: {job.message}", job.log[0])
                for job in workflow.scheduler.failed
            ],
            len(workflow.scheduler.remaining_jobs),
        ),
        file=sys.stderr,
    )
