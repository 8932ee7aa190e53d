//! The system calls that processes of plugins are refused.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

/// What reaches into other processes, changes what a process sees of the machine, loads code into the kernel, or keeps
/// files that have no name.
const REFUSED: [i64; 44] = [
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
    libc::SYS_fsconfig,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_open_by_handle_at,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
];

/// What makes a process and nothing else.
#[cfg(target_arch = "x86_64")]
const FORKS: [i64; 2] = [libc::SYS_fork, libc::SYS_vfork];
#[cfg(not(target_arch = "x86_64"))]
const FORKS: [i64; 0] = [];

/// Kinds of sockets that reach the host whatever network a process has: those of its services, and of its kernel.
const SOCKETS: [i32; 5] = [libc::AF_UNIX, libc::AF_NETLINK, libc::AF_PACKET, libc::AF_VSOCK, libc::AF_ALG];

/// Filters that refuse them, and unless they are granted, processes of its own: the first says that it is not permitted, the second that there is no such call, for what
/// libraries then do in another way.
pub(super) fn filters(has_processes: bool) -> io::Result<[BpfProgram; 2]> {
    let mut refused: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.into_iter().map(|number| (number, Vec::new())).collect();
    let sockets = SOCKETS.into_iter().map(|kind| rule(SeccompCmpOp::Eq, kind.cast_unsigned().into()));
    refused.insert(libc::SYS_socket, sockets.collect::<io::Result<_>>()?);
    let new_user = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    let mut clones = vec![rule(SeccompCmpOp::MaskedEq(new_user), new_user)?];
    if !has_processes {
        // What is no thread is a process.
        let thread = u64::from(libc::CLONE_THREAD.cast_unsigned());
        clones.push(rule(SeccompCmpOp::MaskedEq(thread), 0)?);
        refused.extend(FORKS.map(|number| (number, Vec::new())));
    }
    refused.insert(libc::SYS_clone, clones);
    let absent = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok([filter(refused, libc::EPERM)?, filter(absent, libc::ENOSYS)?])
}

/// The filters as bubblewrap reads them.
pub(super) fn as_bytes(has_processes: bool) -> io::Result<[Vec<u8>; 2]> {
    let bytes = |program: BpfProgram| {
        let instruction = |one: seccompiler::sock_filter| {
            let [low, high] = one.code.to_ne_bytes();
            let [first, second, third, fourth] = one.k.to_ne_bytes();
            [low, high, one.jt, one.jf, first, second, third, fourth]
        };
        program.into_iter().flat_map(instruction).collect()
    };
    Ok(filters(has_processes)?.map(bytes))
}

fn rule(compare: SeccompCmpOp, value: u64) -> io::Result<SeccompRule> {
    let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, compare, value);
    SeccompRule::new(vec![condition.map_err(io::Error::other)?]).map_err(io::Error::other)
}

fn filter(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> io::Result<BpfProgram> {
    let refuse = SeccompAction::Errno(errno.cast_unsigned());
    let machine = TargetArch::try_from(std::env::consts::ARCH).map_err(io::Error::other)?;
    let filter =
        SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine).map_err(io::Error::other)?;
    filter.try_into().map_err(io::Error::other)
}
