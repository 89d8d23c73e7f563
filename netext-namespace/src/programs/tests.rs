//! Tests of running programs.

use super::*;

fn shell(script: &str, output: OutputMode) -> Program<'_> {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    Program::new(command, output)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[test]
fn a_program_reads_its_input_and_its_output_is_read() {
    for output in [OutputMode::Both, OutputMode::Piped] {
        let ended = shell("cat; echo complaint >&2; exit 3", output).input(b"text").run(soon()).unwrap();
        assert_eq!((ended.status.code(), &*ended.stdout), (Some(3), &b"text"[..]));
        assert_eq!(ended.complaint(), "complaint\n");
    }
    let ended = shell("echo lost; echo kept >&2", OutputMode::Errors).run(soon()).unwrap();
    assert_eq!((&*ended.stdout, &*ended.complaint()), (&b""[..], "kept\n"));
}

#[test]
fn output_beyond_the_limit_is_lost_and_does_not_stop_the_program() {
    for output in [OutputMode::Both, OutputMode::Piped] {
        let ended = shell("head -c 300000 /dev/zero", output).limit(200_000).run(soon()).unwrap();
        assert!(ended.status.success());
        assert_eq!(ended.stdout.len(), 200_000);
    }
}

#[test]
fn a_program_is_killed_at_the_deadline_and_so_are_its_children() {
    for output in [OutputMode::Both, OutputMode::Piped] {
        let deadline = Instant::now() + Duration::from_millis(200);
        let program = shell("sleep 60 & echo $!; wait", output);
        let mut running = program.start().unwrap();
        assert!(!running.attend(deadline).unwrap());
        running.kill();
        let ended = running.end().unwrap();
        let child: i32 = String::from_utf8_lossy(&ended.stdout).trim().parse().unwrap();
        let child = format!("/proc/{child}/stat");
        let is_gone = || !std::fs::read_to_string(&child).is_ok_and(|stat| !stat.contains(") Z "));
        let until = soon();
        while !is_gone() {
            assert!(Instant::now() < until, "the child survives");
            std::thread::sleep(Duration::from_millis(10));
        }
        let timed_out = shell("sleep 60", output).run(Instant::now());
        assert!(matches!(timed_out, Err(ProgramError::TimedOut)), "{timed_out:?}");
    }
}

#[test]
fn a_process_that_holds_the_pipes_does_not_delay_the_end() {
    let begun = Instant::now();
    let ended = shell("sleep 20 & echo done", OutputMode::Piped).run(soon()).unwrap();
    assert_eq!(ended.stdout, b"done\n");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[test]
fn a_program_that_is_not_installed_is_reported_as_missing() {
    let missing = Program::new(Command::new("/nowhere/program"), OutputMode::Errors).run(soon());
    assert!(matches!(missing, Err(ProgramError::Missing(_))), "{missing:?}");
}

#[test]
fn the_last_words_of_a_program_have_no_full_stop() {
    assert_eq!(last_line("Warning.\nPermission denied (publickey).\n\n"), "Permission denied (publickey)");
    assert_eq!(first_lines("no port.\nno address.\n"), "no port; no address");
}
