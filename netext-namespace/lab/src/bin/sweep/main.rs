//! Kills every command at each of its system calls, makes each of them fail, and tests that nothing is lost and nothing
//! half done stays.
//!
//! A lab is brought into the state that a command starts from once. After each fault the lab goes back to it: the files
//! are put back and the repair does the rest, which is then compared with the state at the start.

mod arguments;
mod plan;
mod steps;
mod trial;
mod violation;
mod world;

use std::collections::VecDeque;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use netext_lab::Fault;
use netext_lab::console::{print, say};

use arguments::{HELP, SweepArguments};
use plan::FaultPlan;
use steps::Step;
use trial::{Ground, Stage};
use violation::{Violation, kinds};

/// What was done, and what was found.
#[derive(Default)]
struct Tally {
    steps: usize,
    calls: usize,
    kills: usize,
    failures: usize,
    folded: usize,
    infallible: usize,
    rebuilt: usize,
    violations: Vec<Violation>,
    broken_off: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = match SweepArguments::of_this_process() {
        Ok(Some(arguments)) => arguments,
        Ok(None) => return say(HELP, 0),
        Err(error) => return say(&format!("{error}\n\n{HELP}"), 2),
    };
    let begun = Instant::now();
    let mut steps: Vec<_> = steps::all().into_iter().filter(|step| arguments.wants(step)).collect();
    // Commands that start from the same state share a lab.
    steps.sort_by_key(|step| step.base);
    let waiting = Mutex::new(steps.iter().collect::<VecDeque<_>>());
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs {
            scope.spawn(|| {
                let mut ground = None;
                while let Some(step) = next(&waiting) {
                    ground = sweep(step, &arguments, ground, &tally);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no panic while held");
    tally.close(begun)
}

fn next<'a>(waiting: &Mutex<VecDeque<&'a Step>>) -> Option<&'a Step> {
    waiting.lock().expect("no panic while held").pop_front()
}

/// Sweeps one command, on the ground that the last one left. Returns the ground, if it is as before.
fn sweep(
    step: &Step,
    arguments: &SweepArguments,
    ground: Option<Ground>,
    tally: &Mutex<Tally>,
) -> Option<Ground> {
    let begun = Instant::now();
    let mut done = Tally { steps: 1, ..Tally::default() };
    let mut stage = match Stage::set(&arguments.executable, step, arguments.way, ground) {
        Ok(stage) => stage,
        Err(why) => {
            print(&why);
            tally.lock().expect("no panic while held").broken_off.push(why);
            return None;
        }
    };
    let mut plan = FaultPlan::of(&stage.recorded.calls);
    (done.calls, done.folded, done.infallible) = (stage.recorded.calls.len(), plan.folded, plan.infallible);
    if arguments.lists_calls {
        stage.recorded.calls.iter().for_each(|call| print(&call.to_string()));
        plan.faults.clear();
    } else if let Some(fault) = arguments.fault {
        plan.faults = vec![fault];
    } else {
        plan.limit(arguments.extent, &stage.recorded.calls);
    }
    for fault in &plan.faults {
        match fault {
            Fault::Kill(_) => done.kills += 1,
            _ => done.failures += 1,
        }
        let (violations, is_as_before) = stage.strike(step, *fault);
        if arguments.shows_all {
            for violation in &violations {
                print(&violation.to_string());
            }
        }
        done.violations.extend(violations);
        if !is_as_before {
            done.rebuilt += 1;
            stage = match Stage::set(&arguments.executable, step, arguments.way, None) {
                Ok(stage) => stage,
                Err(why) => {
                    done.broken_off.push(why);
                    tally.lock().expect("no panic while held").add(done);
                    return None;
                }
            };
        }
    }
    print(&format!(
        "{:<55} {:>5} calls, {:>4} kills, {:>5} failures, {:>3} labs rebuilt, {:>4} violations, answers {:?}, {:.1} s",
        step.name,
        done.calls,
        done.kills,
        done.failures,
        done.rebuilt,
        done.violations.len(),
        stage.answered(),
        begun.elapsed().as_secs_f64()
    ));
    tally.lock().expect("no panic while held").add(done);
    Some(stage.into_ground())
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.steps += other.steps;
        self.calls += other.calls;
        self.kills += other.kills;
        self.failures += other.failures;
        self.folded += other.folded;
        self.infallible += other.infallible;
        self.rebuilt += other.rebuilt;
        self.violations.extend(other.violations);
        self.broken_off.extend(other.broken_off);
    }

    fn close(self, begun: Instant) -> ExitCode {
        for (number, example) in kinds(&self.violations) {
            print(&format!("\n{number} x {example}"));
        }
        for why in &self.broken_off {
            print(&format!("\nnot swept: {why}"));
        }
        print(&format!(
            "\n{} commands with {} system calls: {} kills ({} more are the same as the next one), {} failures ({} calls \
             cannot fail), {} violations, {:.0} s",
            self.steps,
            self.calls,
            self.kills,
            self.folded,
            self.failures,
            self.infallible,
            self.violations.len(),
            begun.elapsed().as_secs_f64()
        ));
        ExitCode::from(u8::from(!self.violations.is_empty() || !self.broken_off.is_empty()))
    }
}
