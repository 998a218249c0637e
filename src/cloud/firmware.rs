//! What the firmware calls the machine (SMBIOS, which Linux shows in `/sys/class/dmi/id`), readable by everyone.

use crate::env::{Env, read_text};

const FOLDER: &str = "sys/class/dmi/id";

/// The name of a machine of Amazon's: Nitro has a vendor of its own, older machines are Xen's by a version of Amazon's
/// (`4.11.amazon`). AWS, "Detect whether a host is an EC2 instance"; cloud-init `tools/ds-identify`.
pub fn amazon(env: &Env) -> Option<String> {
    let vendor = field(env, "sys_vendor").filter(|vendor| vendor == "Amazon EC2");
    vendor.or_else(|| field(env, "bios_version").filter(|version| version.ends_with(".amazon")))
}

/// The name of a machine of Google's (googleapis/google-cloud-go `compute/metadata`).
pub fn google(env: &Env) -> Option<String> {
    field(env, "product_name").filter(|name| ["Google", "Google Compute Engine"].contains(&name.as_str()))
}

/// The name of a machine of Azure's. Hyper-V has the same vendor and product everywhere; the number is Azure's alone
/// (cloud-init `cloudinit/sources/azure/identity.py`).
pub fn azure(env: &Env) -> Option<String> {
    field(env, "chassis_asset_tag").filter(|tag| tag == "7783-7084-3265-9085-8269-3286-77")
}

fn field(env: &Env, name: &str) -> Option<String> {
    let text = read_text(&env.machine_file(FOLDER)?.join(name)).ok()?;
    Some(text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)]
    fn each_cloud_is_known_by_its_own_name() {
        const AZURE: &str = "7783-7084-3265-9085-8269-3286-77";
        for (files, want) in [
            (&[("sys_vendor", "Amazon EC2\n"), ("product_name", "m7g.large\n")][..], [true, false, false]),
            (&[("sys_vendor", "Xen"), ("bios_version", "4.11.amazon")], [true, false, false]),
            (&[("sys_vendor", "Xen"), ("bios_version", "4.11")], [false; 3]),
            (&[("product_name", "Google Compute Engine\n")], [false, true, false]),
            (&[("product_name", "Google\n")], [false, true, false]),
            (&[("product_name", "Googleplex")], [false; 3]),
            (&[("sys_vendor", "Microsoft Corporation"), ("product_name", "Virtual Machine")], [false; 3]),
            (&[("chassis_asset_tag", AZURE), ("sys_vendor", "Microsoft Corporation")], [false, false, true]),
            (&[("sys_vendor", "QEMU"), ("product_name", "Standard PC")], [false; 3]),
            (&[], [false; 3]),
        ] {
            let root = tempfile::tempdir().unwrap();
            let folder = root.path().join(FOLDER);
            std::fs::create_dir_all(&folder).unwrap();
            for (name, text) in files {
                std::fs::write(folder.join(name), text).unwrap();
            }
            let nowhere = Env::new::<&str, &str>([], "/");
            let named = |env: &Env| [amazon, google, azure].map(|name| name(env).is_some());
            // Without a root nothing of the machine is looked at.
            assert_eq!(named(&nowhere), [false; 3]);
            assert_eq!(named(&nowhere.on_machine(root.path())), want, "{files:?}");
        }
    }
}
